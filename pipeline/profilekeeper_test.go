package pipeline

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/profiles"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/schema"
)

// TestProfileKeeper_Snapshot makes the steps of a snapshot: the number of the call, the scan,
// marks of absent keys, the stream's record, and the end of the deletes. Each write is
// acknowledged before the next step.
func TestProfileKeeper_Snapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		o, _ := newTestRecord(b)
		k := o.profiles
		b.steps = nil
		today := schema.DayOf(time.Now(), planned)
		o.schedule.Begin(schedule.Due{Stream: "users", Day: today}, time.Now())
		n, err := k.Begin(t.Context(), &schema.Export{Stream: "users", Day: today, N: 1}, 1, 6) // the topic has a record of export 6
		b.must(err)
		state := b.load()
		if got := state.Service.Profiles["users"]; n != 7 || got.N != 7 || got.Partitions != 1 || state.Days[ledger.DayName{Stream: "users", Day: today}].Exports != 7 {
			t.Errorf("export %d, in the ledger %+v and %+v: want number 7", n, got, state.Days)
		}

		topic, err := senders(o.session, o.partitions.of("users"))
		b.must(err)
		for _, key := range []string{"a", "b"} {
			b.must(topic[0].Append([]byte(key), recordbatch.Bytes([]byte("{}")), nil))
		}
		var seen []string
		b.must(k.Scan(t.Context(), "users", func(_ int, r *recordbatch.Record) { seen = append(seen, string(r.Key)) }))
		if diff := cmp.Diff([]string{"a", "b"}, seen); diff != "" {
			t.Errorf("scanned keys, of which one was not acknowledged before (-want +got):\n%s", diff)
		}

		var seed uint64
		_, err = k.RecordDecision(t.Context(), "users", func(r *ledger.Profiles) *profiles.Decision {
			seed = r.Seed
			next := *r
			next.Missing, next.Deletes = 2, []ledger.Deletion{{N: 1}}
			return &profiles.Decision{Record: next, Marks: []*profiles.Mark{{Hash: profiles.HashKey(seed, []byte("a")), N: 7}, {Hash: profiles.HashKey(seed, []byte("z")), N: 5}}}
		})
		b.must(err)
		record, marks, err := k.Load(t.Context(), "users")
		b.must(err)
		if m := marks[profiles.HashKey(seed, []byte("a"))]; len(marks) != 2 || m == nil || m.N != 7 || record.Missing != 2 {
			t.Errorf("the ledger has %d marks and %+v, want 2", len(marks), record)
		}
		b.must(k.Deleted(t.Context(), "users", 1))
		if r := b.load().Service.Profiles["users"]; r.Missing != 1 || !r.Deletes[0].Done || record.Deletes[0].Done {
			t.Errorf("after the deletes the ledger has %+v, an export's copy %+v", r, record)
		}
		want := []string{"profiles_begun", "profiles_flushed", "profiles_marked", "profiles_decided", "profiles_deleting", "profiles_deleted"}
		if diff := cmp.Diff(want, b.steps); diff != "" {
			t.Errorf("steps (-want +got):\n%s", diff)
		}
	})
}

// TestProfileKeeper_Modes: if MODE is no longer changes, the stream's marks are removed, and
// today is published again if its last export published only changes.
func TestProfileKeeper_Modes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		b.Streams[1].Changes = false
		o := b.takeOver()
		now := time.Now()
		name := ledger.DayName{Stream: "users", Day: schema.DayOf(now, planned)}
		o.record.content.Profiles = map[string]*ledger.Profiles{
			"users":  {N: 3, Absent: ledger.Absent{Ranges: []ledger.Range{{0, 1, 2}}}},
			"former": {N: 3, Absent: ledger.Absent{Ranges: []ledger.Range{{0, 1, 2}}}}, // no longer configured
		}
		o.schedule.Load(&o.record.content, map[ledger.DayName]ledger.Day{name: {State: ledger.Open, Exports: 3, Generation: 1, LastSuccess: &now}}, now)
		o.profiles.forgetMarks()
		if p := o.record.content.Profiles; !p["users"].Absent.IsZero() || p["former"].Absent.IsZero() {
			t.Errorf("marks %+v and %+v, want none of users", p["users"].Absent, p["former"].Absent)
		}
		o.profiles.publishWhole(now)
		if d := o.schedule.Record(name); d.Generation != 2 || d.State != ledger.Pending {
			t.Errorf("today is %+v, want it published again", d)
		}
		o.profiles.publishWhole(now) // the next start
		if d := o.schedule.Record(name); d.Generation != 2 {
			t.Errorf("today is %+v, want that the next start does not publish it again", d)
		}
		o.record.content.Profiles["former"] = nil // treated like a missing entry
		o.record.content.Profiles["users"].N = 2
		o.schedule.Load(&o.record.content, map[ledger.DayName]ledger.Day{name: {State: ledger.Open, Exports: 3, Generation: 1, LastSuccess: &now}}, now)
		o.profiles.publishWhole(now)
		if d := o.schedule.Record(name); d.Generation != 1 {
			t.Errorf("today is %+v, want it not published again: its last export published all rows", d)
		}
		o.profiles.PublishAgain("users")
		if from := o.record.content.Profiles["users"].AgainFrom; from != 4 {
			t.Errorf("rows since export %d count as published, want 4", from)
		}
	})
}

// TestProfileKeeper_Approve: the number of deletes that an approval permits, and the errors if
// nothing can be approved.
func TestProfileKeeper_Approve(t *testing.T) {
	for name, test := range map[string]struct {
		record ledger.Profiles
		limit  int
		want   int
		err    string
	}{
		"those that are withheld":      {ledger.Profiles{Withheld: 30, Why: string(profiles.OverCeiling)}, 0, 30, ""},
		"fewer":                        {ledger.Profiles{Withheld: 30, Why: string(profiles.OverCeiling)}, 10, 10, ""},
		"beforehand":                   {ledger.Profiles{}, 10, 10, ""},
		"beforehand, without a number": {ledger.Profiles{}, 0, 0, "no deletes of users are withheld, so there is nothing to approve"},
		"rows that can't be read":      {ledger.Profiles{Withheld: 3, Why: string(profiles.UnreadableRows)}, 0, 3, ""},
		"a reason that none helps":     {ledger.Profiles{Withheld: 3, Why: string(profiles.RepeatedKeys)}, 0, 0, "an approval does not help"},
		"the same, with a number":      {ledger.Profiles{Withheld: 3, Why: string(profiles.RepeatedKeys)}, 5, 5, ""},
	} {
		t.Run(name, func(t *testing.T) {
			k := &profileKeeper{record: &serviceRecord{content: ledger.Service{Profiles: map[string]*ledger.Profiles{"users": &test.record}}}}
			got, err := k.Approve("users", test.limit, noon)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) || test.record.Approved != nil {
					t.Errorf("error %v, approval %+v, want %q and none", err, test.record.Approved, test.err)
				}
				return
			}
			a := test.record.Approved
			if err != nil || got != test.want || a == nil || a.N != test.want || !a.Until.Equal(noon.Add(approvedFor)) {
				t.Errorf("%d approved as %+v, want %d for a week: %v", got, a, test.want, err)
			}
			if a != nil && a.Unreadable != (test.record.Why == string(profiles.UnreadableRows)) {
				t.Errorf("the approval is for unreadable rows: %t", a.Unreadable)
			}
		})
	}
}
