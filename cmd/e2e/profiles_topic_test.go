package e2e

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/connector/exporttest"
)

// newProfiles returns a service whose only stream exports profiles with MODE=changes.
func newProfiles(t *testing.T, api *exporttest.Server) *testbed {
	t.Helper()
	b := newTestbed(t, api)
	b.ofProfiles()
	return b
}

// ofProfiles makes the service export profiles instead of events.
func (b *testbed) ofProfiles() {
	delete(b.environ, "STREAM_EVENTS_START")
	delete(b.environ, "STREAM_EVENTS_TOPIC")
	b.set("STREAMS", "users", "STREAM_USERS_EXPORT", "userprofile", "STREAM_USERS_TOPIC", b.prefix+"users", "STREAM_USERS_MODE", "changes",
		"STREAM_USERS_DELETE_AFTER", "0s")
	b.unlimited()
}

// TestProfiles_Topic: the topic is created as a compacted one. With configurations that would lose
// profiles the stream waits until the printed command has been run.
func TestProfiles_Topic(t *testing.T) {
	t.Parallel()
	b := newProfiles(t, &exporttest.Server{Data: exporttest.Data{Seed: 70, Users: 20}})
	b.runOnce(0)
	want := map[string]string{"cleanup.policy": "compact", "min.compaction.lag.ms": oneDay, "max.compaction.lag.ms": "604800000",
		"delete.retention.ms": "604800000", "message.timestamp.type": "LogAppendTime"}
	if diff := cmp.Diff(want, b.configs("users")); diff != "" {
		t.Errorf("configuration of the topic (-want +got):\n%s", diff)
	}
	for _, wrong := range []struct{ config, value, right string }{
		{"cleanup.policy", "compact,delete", "compact"}, {"min.compaction.lag.ms", "43199999", oneDay},
	} {
		b.setTopicConfig("users", wrong.config, wrong.value)
		p := b.start("run")
		p.await("a stream waits for its topic")
		repair := "--entity-name " + b.prefix + "users --add-config cleanup.policy=compact,min.compaction.lag.ms=" + oneDay
		expectText(t, p.log(), wrong.config+"="+wrong.value, repair)
		out, _ := b.run("check")
		expectText(t, out, wrong.config+"="+wrong.value, repair)
		b.setTopicConfig("users", wrong.config, wrong.right)
		p.awaitMore(isOwner, 1)
		p.kill()
	}
	b.setTopicConfig("users", "delete.retention.ms", "60000")
	expectText(t, b.runOnce(0), "the topic removes tombstones soon")
}

// TestProfiles_Modes changes MODE from changes to all, even on the same day: the complete snapshot
// is published. With changes again, it is compared with what the topic then has.
func TestProfiles_Modes(t *testing.T) {
	t.Parallel()
	b, source := newUsers(t, 5)
	b.runOnce(0)
	source.set(func(s *profileSource) { delete(s.profiles, "user1") })
	b.runOnce(0)
	b.runOnce(0) // user1 is deleted
	b.set("STREAM_USERS_MODE", "all")
	delete(b.environ, "STREAM_USERS_DELETE_AFTER")
	source.set(func(s *profileSource) { s.profiles["user1"], s.profiles["user2"] = "Seoul", "Busan" })
	before := len(b.consume("users", kgo.ReadUncommitted()))
	for range 2 {
		log := b.runOnce(0)
		expectNoLoss(t, log)
		if strings.Contains(log, "missing from the latest export") || strings.Contains(log, "twice") {
			t.Errorf("the change of mode is reported as a loss:\n%s", log)
		}
	}
	all := b.consume("users", kgo.ReadUncommitted())
	rows := map[string]string{}
	for _, m := range all {
		if rows[m.Key] = m.Value; m.Value == "" {
			delete(rows, m.Key)
		}
	}
	if len(all)-before != 5 || len(rows) != 5 || rows["user2"] != `{"df_unified_id":"user2","city":"Busan"}` {
		t.Errorf("%d records were published, want 5; the newest of each key: %v", len(all)-before, rows)
	}
	b.set("STREAM_USERS_MODE", "changes", "STREAM_USERS_DELETE_AFTER", "0s")
	source.set(func(s *profileSource) { delete(s.profiles, "user3") })
	b.runOnce(0)
	b.runOnce(0)
	news := b.consume("users", kgo.ReadUncommitted())[len(all):]
	deletes := 0
	for _, m := range b.consume("users", kgo.ReadUncommitted()) {
		if m.Key == "user3" && m.Headers["op"] == "d" {
			deletes++
		}
	}
	if len(news) != 1 || deletes != 1 {
		t.Errorf("%d records were published, want only the tombstone of user3", len(news))
	}
}
