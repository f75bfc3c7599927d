package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestProfiles_Changes: only new and changed profiles are published, and a profile that two
// snapshots lack is deleted.
func TestProfiles_Changes(t *testing.T) {
	t.Parallel()
	source := &profileSource{profiles: map[string]string{"a": "Seoul", "b": "Busan", "c": "Daegu"}}
	b := newProfileService(t, source)
	var got []string
	for _, step := range []struct {
		change func(*profileSource)
		want   []string // op, key and export of each new record
	}{
		{func(*profileSource) {}, []string{"c a 1", "c b 1", "c c 1"}},
		{func(s *profileSource) { s.profiles["b"] = "Ulsan"; s.profiles["d"] = "Jeju" }, []string{"u b 2", "c d 2"}},
		{func(s *profileSource) { delete(s.profiles, "c") }, nil},
		{func(*profileSource) {}, []string{"d c 4"}},
		{func(s *profileSource) { s.profiles["c"] = "Daegu" }, []string{"c c 5"}},
	} {
		source.set(step.change)
		log := b.runOnce(0)
		expectNoLoss(t, log)
		got = append(got, step.want...)
	}
	var records []string
	for _, m := range b.consume("users", kgo.ReadUncommitted()) {
		records = append(records, fmt.Sprintf("%s %s %s", m.Headers["op"], m.Key, m.Export[len("1234/users/2026-11-30/"):]))
	}
	if diff := cmp.Diff(got, records, cmpopts.SortSlices(strings.Compare)); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	b.checkTable(source, false)
}

// TestProfiles_CrashEachStep kills the program at every step of an export that publishes and
// deletes, and compares the topic and the counted deletes.
func TestProfiles_CrashEachStep(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"called", "profiles_begun", "profiles_flushed", "profiles_marked", "profiles_decided", "profiles_deleting", "profiles_deleted", "checkpointed"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			source := &profileSource{profiles: map[string]string{}}
			for i := range 20 {
				source.profiles[fmt.Sprint("user", i)] = "Seoul"
			}
			b := newProfileService(t, source)
			b.runOnce(0)
			source.set(func(s *profileSource) { delete(s.profiles, "user1"); s.profiles["user2"] = "Busan" })
			b.runOnce(0)
			source.set(func(s *profileSource) { s.profiles["user3"] = "Busan" })
			_, before := b.table("users")
			b.crash(step, 1, "run", "--once")
			_, after := b.table("users")
			b.checkDeletes(source, before, after)
			b.runOnce(0)
			b.checkTable(source, false)
			if deleted := b.ledgerState().Service.Profiles["users"].Deletes; len(deleted) != 1 || deleted[0].N != 1 || !deleted[0].Done {
				t.Errorf("deletes in the ledger: %+v, want one", deleted)
			}
		})
	}
}

// TestProfiles_Hashed: profiles are compared and deleted by their public cells and hashed keys.
func TestProfiles_Hashed(t *testing.T) {
	t.Parallel()
	b, source := newUsers(t, 20)
	b.set("PRIVACY_KEY_FILE", writeKey(t, privacySecret), "STREAM_USERS_HASH", "df_unified_id,city")
	b.runOnce(0)
	source.set(func(s *profileSource) { delete(s.profiles, "user1"); s.profiles["user2"] = "Busan" })
	b.runOnce(0)
	b.runOnce(0)
	rows, deletes := b.table("users")
	want := map[string]string{}
	for key, city := range source.profiles {
		key = hashed("df_unified_id", key)
		want[key] = fmt.Sprintf(`{"df_unified_id":%q,"city":%q}`, key, hashed("city", city))
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("profiles (-want +got):\n%s", diff)
	}
	if gone := hashed("df_unified_id", "user1"); deletes[gone] != 1 || len(deletes) != 1 {
		t.Errorf("deleted: %v, want %s", deletes, gone)
	}
	if records := len(b.consume("users", kgo.ReadUncommitted())); records != 20+1+1 {
		t.Errorf("%d records, want 22", records)
	}
}

// TestProfiles_HideLater hides the key of profiles that have been published. The remedy that run
// and check print suits a compacted topic, whose records can't be deleted.
func TestProfiles_HideLater(t *testing.T) {
	t.Parallel()
	b, source := newUsers(t, 20)
	b.runOnce(0)
	b.set("PRIVACY_KEY_FILE", writeKey(t, privacySecret), "STREAM_USERS_HASH", "df_unified_id")
	check, _ := b.run("check")
	for _, text := range []string{check, b.runOnce(0)} {
		expectText(t, text, "Kafka still has their earlier cells", "earlier records until compaction has removed them", "set a new topic in STREAM_USERS_TOPIC",
			"hidden columns have changed:", "that now differ from the topic", "--topic "+b.prefix+"dead-letters; and run kafka-delete-records.sh", "profiles approve users permits their deletes")
		if strings.Contains(text, "--topic "+b.prefix+"users;") {
			t.Errorf("the remedy deletes records of a compacted topic, which brokers refuse:\n%s", text)
		}
	}
	expectText(t, b.runOnce(0), `"absent":20,"why":"over_ceiling"`)
	b.command(nil, "profiles", "approve", "users", "--wait", "0s")
	b.runOnce(0)
	b.runOnce(0)
	want := map[string]string{}
	for key, city := range source.profiles {
		key = hashed("df_unified_id", key)
		want[key] = fmt.Sprintf(`{"df_unified_id":%q,"city":%q}`, key, city)
	}
	if rows, _ := b.table("users"); !cmp.Equal(want, rows) {
		t.Errorf("profiles (-want +got):\n%s", cmp.Diff(want, rows))
	}
}

// TestProfiles_FromAll sets MODE=changes for a topic that has all rows of earlier exports.
func TestProfiles_FromAll(t *testing.T) {
	t.Parallel()
	b, source := newUsers(t, 20)
	b.createTopic("users", 3, map[string]string{"cleanup.policy": "compact", "min.compaction.lag.ms": oneDay})
	for _, name := range []string{"STREAM_USERS_MODE", "STREAM_USERS_DELETE_AFTER"} {
		delete(b.environ, name)
	}
	b.runOnce(0)
	source.set(func(s *profileSource) { delete(s.profiles, "user1"); s.profiles["user2"] = "Busan" })
	b.runOnce(0)
	before := len(b.consume("users", kgo.ReadUncommitted()))
	b.set("STREAM_USERS_MODE", "changes", "STREAM_USERS_DELETE_AFTER", "0s")
	b.runOnce(0)
	if got := len(b.consume("users", kgo.ReadUncommitted())); got != before {
		t.Errorf("%d records after the first export of changes, %d before", got, before)
	}
	b.runOnce(0)
	all := b.consume("users", kgo.ReadUncommitted())
	if last := all[len(all)-1]; len(all) != before+1 || !slicesHave(all, "user1", "d") {
		t.Errorf("%d records, want %d with a deletion of user1; the last one is %+v", len(all), before+1, last)
	}
}

func slicesHave(all []message, key, op string) bool {
	return slices.ContainsFunc(all, func(m message) bool { return m.Key == key && m.Headers["op"] == op })
}
