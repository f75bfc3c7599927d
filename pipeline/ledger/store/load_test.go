package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/ledger/store"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/schema"
)

// owned returns the partition of service 1234 in a topic of n partitions.
func owned(n int) int { return cluster.PartitionOf([]byte("1234"), n) }

var (
	day     = ledger.DayName{Stream: "events", Day: 20779}
	written = time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC)
)

// ignoreKept ignores the fields for members that a release does not know.
var ignoreKept = cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".unknown" }, cmp.Ignore())

// TestRecordsRoundTrip writes records and loads them: the last record of each key is loaded, even
// if others write to the topic.
func TestRecordsRoundTrip(t *testing.T) {
	const partitions = 3
	s := newTestLedger(t, partitions)
	w := s.writer(owned(partitions))
	want := &ledger.State{
		Owner: &ledger.Owner{Instance: "a", Host: "h", Version: "v1", ProducerID: 7, Epoch: 3, Since: written, Beat: written, Released: true},
		Checkpoint: &ledger.Checkpoint{At: written, Partitions: []ledger.Mark{
			{Topic: "t", Partition: 1, Next: 10, ID: "id", Last: 9}, {Topic: s.Rows, Partition: 2, Next: 4}},
			Days: map[string]map[schema.Day]int{"events": {20779: 3, 20780: 0}}},
		Service: &ledger.Service{Source: []byte(`{"calls":[1]}`), Streams: map[string]ledger.Stream{"events": {Paused: true, Columns: []string{"a", "b"},
			Halted: &ledger.Halt{Code: schema.BadHeader, Detail: "d", Since: written, Until: written}, Identity: "i"}}},
		Days: map[ledger.DayName]*ledger.Day{
			day: {State: ledger.Open, Exports: 4, Published: 3, Rows: 3, Missing: 1, Bad: 2, FirstExport: &written, LastExport: &written, LastSuccess: &written,
				Generation: 2, From: 3, AgainBy: "c", Fingerprints: []ledger.Range{{1, 2, 3}, {1, 5, 9}}, MissingEvents: []string{"x"}, LastLook: true},
			{Stream: "events", Day: 20780}: {State: ledger.Pending, Exports: 1, Generation: 1,
				Error: &ledger.Fault{Code: schema.QueryError, Detail: "d", At: written, Attempts: 2, Until: written}},
		},
		Commands:  map[string]*ledger.Command{"c": {ID: "c", Service: "1234", Verb: "backfill", Stream: "events", From: 20779, To: 20780, Again: true, Given: written, By: "me", Offset: 12}},
		Partition: owned(partitions),
	}
	want.Since = map[ledger.DayName][]*ledger.Day{} // days that were written after the checkpoint
	for name, d := range want.Days {
		want.Since[name] = []*ledger.Day{d}
	}
	for range 2 { // not compacted: the older records are still in the topic
		if err := errors.Join(w.Owner(&ledger.Owner{Instance: "older"}), w.Owner(want.Owner), w.Checkpoint(want.Checkpoint), w.Service(want.Service),
			w.Command(want.Commands["c"])); err != nil {
			t.Fatal(err)
		}
		for name, d := range want.Days {
			if err := w.Day(name, d); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.flush()
	s.put(owned(partitions), "day/1234/events/2026-11-01", `{"state":"pending"}`)
	s.put(owned(partitions), "day/1234/events/2026-11-01", "")
	s.put(owned(partitions), "owner/999", `{"instance":"another service"}`)
	s.put(owned(partitions), "day/12345/events/2026-11-22", `{"state":"what a newer release writes"}`)
	for partition := range partitions { // a later release may write new kinds of records to any partition
		s.put(partition, "lease/1234", `{"v":9,"state":[]}`)
		s.put(partition, "lease/1234/events", "not JSON")
		s.put(partition, "lease", "")
	}
	got := s.load()
	want.End = got.End
	if diff := cmp.Diff(want, got, ignoreKept); diff != "" {
		t.Errorf("state (-written +loaded):\n%s", diff)
	}
}

func TestUnreadableRecords(t *testing.T) {
	tests := map[string]struct{ key, value, why string }{
		"no JSON":         {"owner/1234", "x", "not a JSON object"},
		"null":            {"checkpoint/1234", "null", "not a JSON object"},
		"an array":        {"service/1234", "[]", "not a JSON object"},
		"a wrong type":    {"day/1234/events/2026-11-22", `{"state":"open","exports":"four"}`, "json: cannot unmarshal string into Go struct field Day.exports of type int"},
		"no such state":   {"day/1234/events/2026-11-22", `{"state":"lost"}`, `"lost" is not a state of a day`},
		"no success":      {"day/1234/events/2026-11-22", `{"state":"settled"}`, "the day is settled without a last_success"},
		"a wrong key":     {"day/1234/events", `{"state":"pending"}`, "the key is not of the form day/SERVICE/STREAM/DAY"},
		"a wrong day":     {"day/1234/events/2026-02-30", `{"state":"pending"}`, `"2026-02-30" is not a day of the form yyyy-MM-dd`},
		"a newer form":    {"owner/1234", `{"v":2,"instance":"a"}`, "written in version 2 by a newer release, this one reads up to version 1: run the newer release"},
		"an unknown form": {"owner/1234", `{"v":"x"}`, `written in version "x" by a newer release, this one reads up to version 1: run the newer release`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTestLedger(t, 1)
			s.put(0, "owner/1234", `{"v":1,"instance":"fine"}`)
			s.put(0, test.key, test.value)
			_, err := s.Load(s.soon())
			var unreadable *store.RecordError
			if !errors.As(err, &unreadable) {
				t.Fatalf("error %v, want a RecordError", err)
			}
			why := unreadable.Err.Error()
			want := store.RecordError{Topic: s.Topic, Offset: 1, Key: test.key, Err: unreadable.Err}
			if diff := cmp.Diff(want, *unreadable, cmp.Comparer(func(a, b error) bool { return a == b })); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if len(why) < len(test.why) || why[:len(test.why)] != test.why {
				t.Errorf("why: %q, want %q", why, test.why)
			}
		})
	}
}

// TestUnknownMembersAreKept: members of a record that this release does not know are kept when it
// is rewritten.
func TestUnknownMembersAreKept(t *testing.T) {
	s := newTestLedger(t, 1)
	s.put(0, "owner/1234", `{"v":1,"instance":"a","zone":"x","more":{"a":[1,2.50]}}`)
	s.put(0, "day/1234/events/2026-11-22", `{"state":"pending","later":null,"slices":[{"events":["a"],"hours":[1,2]}],"error":{"code":"query_error","query":7}}`)
	s.put(0, "service/1234", `{"streams":{"events":{"paused":true,"halted":{"code":"bad_header","x":1},"by":"x"},"former":{"z":1}},"wait":{"for":"quota","x":2},"due_from":{"events":{"day":"2026-11-20","start":"2","x":3}},"later":2}`)
	s.put(0, "checkpoint/1234", `{"partitions":[{"topic":"events","partition":3,"next":4,"epoch":5}]}`)
	state := s.load()
	w := s.writer(0)
	state.Owner.Instance = "b"
	if err := errors.Join(w.Owner(state.Owner), w.Day(day, state.Days[day]), w.Service(state.Service), w.Checkpoint(state.Checkpoint)); err != nil {
		t.Fatal(err)
	}
	s.flush()
	got := map[string]string{}
	err := s.Cluster.Read(s.soon(), recordbatch.TopicPartition{Topic: s.Topic}, 4, s.load().End, recordbatch.Visitor{Record: func(r *recordbatch.Record) error {
		got[string(r.Key)] = string(r.Value)
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	const never = `"0001-01-01T00:00:00Z"`
	want := map[string]string{
		"service/1234": `{"streams":{"events":{"paused":true,"halted":{"code":"bad_header","detail":"","since":` + never + `,"until":` + never + `,"x":1},"by":"x"},"former":{"z":1}},` +
			`"wait":{"for":"quota","until":` + never + `,"x":2},"due_from":{"events":{"day":"2026-11-20","start":"2","x":3}},"later":2}`,
		"checkpoint/1234": `{"at":` + never + `,"partitions":[{"topic":"events","partition":3,"next":4,"epoch":5}]}`,
		"owner/1234":      `{"instance":"b","host":"","version":"","producer_id":0,"epoch":0,"since":` + never + `,"beat":` + never + `,"more":{"a":[1,2.50]},"zone":"x"}`,
		"day/1234/events/2026-11-22": `{"state":"pending","exports":0,"published":0,"rows":0,"missing":0,"bad":0,"first_export":null,"last_export":null,"last_success":null,` +
			`"final":false,"error":{"code":"query_error","detail":"","at":` + never + `,"attempts":0,"until":` + never + `,"query":7},"generation":0,"fingerprints":null,` +
			`"slices":[{"events":["a"],"hours":[1,2]}],"later":null}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rewritten (-want +got):\n%s", diff)
	}
}

// TestMisplaced: a record of the state in another partition than that of its key is an error; a
// command may be in any partition.
func TestMisplaced(t *testing.T) {
	const partitions = 4
	other := (owned(partitions) + 1) % partitions
	s := newTestLedger(t, partitions)
	s.put(other, "command/a", "")
	s.put(other, "command/b", "not JSON")
	s.put(other, "command/c", `{"service":"1234","verb":"pause"}`)
	s.put(other, "owner/999", `{"instance":"another service"}`)
	s.put(owned(partitions), "command/d", "not JSON")
	state := s.load()
	if d := state.Commands["d"]; len(state.Commands) != 1 || d == nil || d.Error == "" {
		t.Errorf("commands %+v, want only d, with its error", state.Commands)
	}
	s.put(other, "day/1234/events/2026-11-22", `{"state":"pending"}`)
	_, err := s.Load(s.soon())
	var misplaced *store.MisplacedError
	if !errors.As(err, &misplaced) {
		t.Fatalf("error %v, want a MisplacedError", err)
	}
	want := store.MisplacedError{Topic: s.Topic, Key: "day/1234/events/2026-11-22", Partition: other, Want: owned(partitions), Offset: 4}
	if diff := cmp.Diff(want, *misplaced); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}
