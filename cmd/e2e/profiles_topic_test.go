package e2e

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/exporttest"
)

// newProfiles has a service whose only stream publishes changes of profiles.
func newProfiles(t *testing.T, api *exporttest.Server) *testbed {
	t.Helper()
	b := newTestbed(t, api)
	b.ofProfiles()
	return b
}

// ofProfiles has the service export profiles instead of events.
func (b *testbed) ofProfiles() {
	delete(b.environ, "STREAM_EVENTS_START")
	delete(b.environ, "STREAM_EVENTS_TOPIC")
	b.set("STREAMS", "users", "STREAM_USERS_EXPORT", "userprofile", "STREAM_USERS_TOPIC", b.prefix+"users", "STREAM_USERS_MODE", "changes",
		"STREAM_USERS_DELETE_AFTER", "0s")
	b.unlimited()
}

// TestProfiles_Topic creates a compacted topic, and waits for one that would lose profiles until it is repaired by the command that is
// printed.
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
	expectText(t, b.runOnce(0), "the topic forgets deletes soon")
}
