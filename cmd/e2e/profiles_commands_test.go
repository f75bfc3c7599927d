package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/schema"
)

// newUsers returns a service with n profiles.
func newUsers(t *testing.T, n int) (*testbed, *profileSource) {
	t.Helper()
	source := &profileSource{profiles: map[string]string{}}
	for i := range n {
		source.profiles[fmt.Sprint("user", i)] = "Seoul"
	}
	return newProfileService(t, source), source
}

// profileStatus has the output of "profiles status --json".
type profileStatus struct {
	Present, Absent, Withheld int
	Why                       string
	Partitions, Scanned       int
	Unused                    int        `json:"unused_partitions"`
	LastComplete              *time.Time `json:"last_complete"`
	Sample                    []string
}

func (b *testbed) profileStatus(args ...string) (s profileStatus) {
	b.t.Helper()
	out, got := b.run(append([]string{"profiles", "status", "users", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(out), &s); err != nil || got.Code != 0 {
		b.t.Fatalf("exit %d, %v:\n%s%s", got.Code, err, out, got.Stderr)
	}
	return s
}

// TestProfiles_Approve: deletes of too many profiles are withheld until they are approved.
func TestProfiles_Approve(t *testing.T) {
	t.Parallel()
	b, source := newUsers(t, 30)
	if _, got := b.run("profiles", "status", "users"); got.Code != 1 || !strings.Contains(got.Stderr, "has the connector run yet") {
		t.Errorf("before any run: exit %d: %s", got.Code, got.Stderr)
	}
	b.runOnce(0)
	source.set(func(s *profileSource) {
		for i := range 20 {
			delete(s.profiles, fmt.Sprint("user", i))
		}
	})
	for range 3 {
		expectText(t, b.runOnce(0), "profiles are absent from a snapshot, but are not deleted", `"why":"over_ceiling"`)
	}
	if rows, _ := b.table("users"); len(rows) != 30 {
		t.Errorf("%d profiles in the topic, want 30: deletes are withheld", len(rows))
	}
	s := b.profileStatus("--sample", "50")
	if s.Present != 10 || s.Absent != 20 || s.Withheld != 20 || s.Why != "over_ceiling" || len(s.Sample) != 20 || s.LastComplete == nil || s.Scanned != 30 {
		t.Errorf("status: %+v", s)
	}
	for _, key := range s.Sample {
		if _, is := source.profiles[key]; is {
			t.Errorf("%s is listed as absent, but is present", key)
		}
	}
	out, _ := b.run("status")
	expectText(t, out, "\n  last export ", "\n  profiles: 10 present")
	out, _ = b.run("profiles", "status", "users")
	expectText(t, out, "10 present, 20 absent, 20 deletes withheld", "STREAM_USERS_DELETE_MOST")
	b.command(nil, "profiles", "approve", "users", "--wait", "0s")
	b.runOnce(0)
	if rows, _ := b.table("users"); len(rows) != 30 {
		t.Errorf("%d profiles in the topic, want 30: one complete snapshot is not enough", len(rows))
	}
	b.runOnce(0)
	b.checkTable(source, false)
	source.set(func(s *profileSource) { s.next.lacks = map[string]bool{"user20": true, "user21": true} })
	expectText(t, b.runOnce(0), "profiles are absent from a snapshot, but are not deleted", `"absent":2,"why":"over_ceiling"`)
	source.set(func(s *profileSource) { s.next.lacks = nil })
	b.runOnce(0)
	if s := b.profileStatus(); s.Present != 10 || s.Absent != 0 || s.Withheld != 0 || s.Why != "" {
		t.Errorf("status after the deletes: %+v", s)
	}
	b.command(nil, "profiles", "approve", "users", "--wait", "0s")
	expectText(t, b.runOnce(0), "no deletes of users are withheld")
}

// TestProfiles_Never: with DELETE_AFTER=never absent profiles are kept.
func TestProfiles_Never(t *testing.T) {
	t.Parallel()
	b, source := newUsers(t, 30)
	b.set("STREAM_USERS_DELETES", "never")
	b.runOnce(0)
	source.set(func(s *profileSource) { delete(s.profiles, "user1") })
	for range 3 {
		b.runOnce(0)
	}
	if rows, deletes := b.table("users"); len(rows) != 30 || len(deletes) != 0 {
		t.Errorf("%d profiles in the topic, %d deleted; want 30 and none", len(rows), len(deletes))
	}
	if s := b.profileStatus(); s.Present != 29 || s.Absent != 1 || s.Withheld != 0 {
		t.Errorf("status: %+v", s)
	}
	source.set(func(s *profileSource) {
		for key := range s.profiles {
			s.profiles[key] = "Sejong"
		}
	})
	expectText(t, b.runOnce(0), "most profiles have changed at once")
}

// TestProfiles_Again: "backfill --again" publishes every profile once more, and deletes are not
// affected.
func TestProfiles_Again(t *testing.T) {
	t.Parallel()
	b, source := newUsers(t, 30)
	b.runOnce(0)
	source.set(func(s *profileSource) { delete(s.profiles, "user1") })
	b.runOnce(0)
	b.command(nil, "backfill", "users", "--from", currentDay().String(), "--again", "--yes", "--wait", "0s")
	b.runOnce(0)
	again := 0
	for _, m := range b.consume("users", kgo.ReadUncommitted()) {
		if m.Headers["op"] == "r" {
			again++
		}
	}
	if again != 29 {
		t.Errorf("%d rows were published again, want 29", again)
	}
	b.checkTable(source, false)
	records := len(b.consume("users", kgo.ReadUncommitted()))
	b.runOnce(0)
	if got := len(b.consume("users", kgo.ReadUncommitted())); got != records {
		t.Errorf("%d records after one more export, %d before", got, records)
	}
}

// TestProfiles_Partitions: partitions that are added stay empty, even after the ledger was lost,
// and the log says so.
func TestProfiles_Partitions(t *testing.T) {
	t.Parallel()
	b, source := newUsers(t, 40)
	b.runOnce(0)
	b.growTopic("users", 9)
	source.set(func(s *profileSource) {
		s.profiles["user1"] = "Busan"
		s.profiles["new"] = "Busan"
		delete(s.profiles, "user2")
	})
	expectText(t, b.runOnce(0), "partitions were added to the topic of profiles")
	records := len(b.consume("users", kgo.ReadUncommitted()))
	b.environ["LEDGER_TOPIC"] = b.prefix + "another"
	log := b.runOnce(0)
	if got := len(b.consume("users", kgo.ReadUncommitted())); got != records {
		t.Errorf("%d records with a new ledger, %d before", got, records)
	}
	if strings.Contains(log, "published twice") {
		t.Errorf("the log reports duplicates with a new ledger:\n%s", log)
	}
	source.set(func(s *profileSource) { s.profiles["user3"] = "Busan" })
	b.runOnce(0)
	b.checkTable(source, false)
	if s := b.profileStatus(); s.Partitions != partitions {
		t.Errorf("keys are spread over %d partitions, want %d", s.Partitions, partitions)
	}
}

// TestProfiles_SharedTopic: a stream whose topic has keys of another stream is halted.
func TestProfiles_SharedTopic(t *testing.T) {
	t.Parallel()
	b, source := newUsers(t, 30)
	b.runOnce(0)
	b.put("users", &kgo.Record{Key: []byte("user1"), Value: []byte("{}"), Headers: []kgo.RecordHeader{
		{Key: "id", Value: []byte("AAAAAAAAAAAAAAAAAAAAAA")}, {Key: "export", Value: []byte("99/users/2026-11-30/1")}}})
	calls := len(source.served)
	expectText(t, b.runOnce(3), "shared_topic")
	if len(source.served) != calls {
		t.Error("a call was made although the topic is shared")
	}
}

// TestProfiles_DeadLetters: of two rows of a key the first is published and the second has a dead
// letter, whose replay exports the snapshot again.
func TestProfiles_DeadLetters(t *testing.T) {
	t.Parallel()
	b, source := newUsers(t, 30)
	source.set(func(s *profileSource) { s.next.insert = []string{"twice,a\ntwice,a\ntwice,b\n"} })
	b.runOnce(0)
	rows, _ := b.table("users")
	if want := `{"df_unified_id":"twice","city":"a"}`; rows["twice"] != want {
		t.Errorf("twice is %s, want %s", rows["twice"], want)
	}
	letters := b.consume("dead-letters", kgo.ReadUncommitted())
	if len(letters) != 1 || letters[0].Reason != "duplicate_key" {
		t.Errorf("dead letters: %+v, want one of duplicate_key", letters)
	}
	if s := b.profileStatus(); s.Why != "repeated_keys" || s.LastComplete != nil {
		t.Errorf("status: %+v", s)
	}
	if out, _ := b.run("dlq", "list"); !strings.Contains(out, " open ") || strings.Contains(out, "unknown") {
		t.Errorf("the letter is not open:\n%s", out)
	}
	source.set(func(s *profileSource) { s.next.insert, s.profiles["twice"] = nil, "c" })
	b.command([]string{"0 rows to be read again, 1 day to be exported again"}, "dlq", "replay", "--stream", "users", "--yes", "--wait", "0s")
	expectText(t, b.runOnce(0), "1 day exported again")
	b.checkTable(source, false)
}

// TestProfiles_NeverMany: a stream that deletes nothing withholds nothing, however many profiles
// are absent. After deletes are enabled, absence is counted from then.
func TestProfiles_NeverMany(t *testing.T) {
	t.Parallel()
	b, source := newUsers(t, 30)
	b.set("STREAM_USERS_DELETES", "never")
	b.runOnce(0)
	source.set(func(s *profileSource) {
		for i := range 14 {
			delete(s.profiles, fmt.Sprint("user", i))
		}
	})
	for range 2 {
		if log := b.runOnce(0); strings.Contains(log, "not deleted") {
			t.Errorf("the log reports withheld deletes of a stream that deletes nothing:\n%s", log)
		}
	}
	if s := b.profileStatus(); s.Present != 16 || s.Absent != 14 || s.Withheld != 0 || s.Why != "" {
		t.Errorf("status: %+v", s)
	}
	b.set("STREAM_USERS_DELETES", "tombstone", "STREAM_USERS_DELETE_MOST", "50%")
	b.runOnce(0)
	if rows, _ := b.table("users"); len(rows) != 30 {
		t.Errorf("%d profiles in the topic, want 30: one snapshot since deletes are enabled is not enough", len(rows))
	}
	b.runOnce(0)
	b.checkTable(source, false)
}

// TestProfiles_ApproveUnreadable: unreadable rows withhold deletes until they are approved; an
// approval has no effect on snapshots with a repeated key.
func TestProfiles_ApproveUnreadable(t *testing.T) {
	t.Parallel()
	b, source := newUsers(t, 30)
	b.runOnce(0)
	source.set(func(s *profileSource) {
		delete(s.profiles, "user1")
		s.next.insert = []string{"broken\n"}
	})
	for range 2 {
		expectText(t, b.runOnce(0), `"why":"unreadable_rows"`, "dlq list --kind row shows", "profiles approve users")
	}
	b.command(nil, "profiles", "approve", "users", "--wait", "0s")
	source.set(func(s *profileSource) { s.next.insert = []string{"broken\nuser2,Seoul\nuser2,Seoul\n"} })
	for range 2 {
		expectText(t, b.runOnce(0), `"why":"repeated_keys"`)
	}
	b.command(nil, "profiles", "approve", "users", "--wait", "0s")
	expectText(t, b.runOnce(0), "an approval does not help: the last snapshot has keys twice")
	source.set(func(s *profileSource) { s.next.insert = []string{"broken\n"} })
	b.runOnce(0)
	if _, deletes := b.table("users"); len(deletes) != 0 {
		t.Errorf("deleted: %v; one snapshot is not enough", deletes)
	}
	b.runOnce(0)
	b.checkTable(source, false)
	b.runOnce(0) // no profile is absent
	source.set(func(s *profileSource) { delete(s.profiles, "user2") })
	b.runOnce(0)
	b.runOnce(0)
	if rows, _ := b.table("users"); rows["user2"] == "" {
		t.Error("user2 was deleted, but the approval should end when no profile is absent")
	}
}

// TestProfiles_ReplayYesterday: dead letters of another day's snapshot are replayed with a
// snapshot of today, and the plan says so.
func TestProfiles_ReplayYesterday(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"all", "changes"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			b, source := newUsers(t, 5)
			if b.set("STREAM_USERS_MODE", mode); mode == "all" {
				delete(b.environ, "STREAM_USERS_DELETE_AFTER")
			}
			b.runOnce(0)
			call := schema.Export{Service: "1234", Stream: "users", Kind: schema.UserProfile, Day: currentDay() - 1, N: 1}
			row := schema.RowLetter(call, &schema.BadRow{Code: schema.EmptyKey, Origin: schema.OriginSchema, Detail: "line 2"}, 0, schema.Request{}, time.Now())
			row.Redacted = true
			b.put("dead-letters", &kgo.Record{Value: encodeLetter(t, row)},
				&kgo.Record{Value: encodeLetter(t, schema.ExportLetter(&schema.Failure{Code: schema.QueryError, Export: call}, time.Now()))})
			calls := len(source.served)
			b.command([]string{"2 dead letters: 0 rows to be read again, 1 day to be exported again (1 call)"}, "dlq", "replay", "--stream", "users", "--yes", "--wait", "0s")
			expectText(t, b.runOnce(0), `"msg":"command carried out","verb":"replay"`, "1 day exported again")
			if got := len(source.served) - calls; got != 1 {
				t.Errorf("%d calls, want 1", got)
			}
			for _, m := range b.consume("users", kgo.ReadUncommitted()) {
				if !strings.HasPrefix(m.Export, "1234/users/"+currentDay().String()) {
					t.Errorf("a record of %s", m.Export)
				}
			}
		})
	}
}
