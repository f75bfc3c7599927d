package profiles

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/schema"
)

func record(key, value, id, export string) *recordbatch.Record {
	r := &recordbatch.Record{Key: []byte(key), Value: []byte(value)}
	if value == "" {
		r.Value = nil
	}
	for name, text := range map[string]string{"id": id, "export": export} {
		if text != "" {
			r.Headers = append(r.Headers, recordbatch.Header{Key: []byte(name), Value: []byte(text)})
		}
	}
	return r
}

func idOf(key string, value int) string {
	return string(schema.AppendID(nil, fingerprintOf(key, value), 0))
}

// TestScan_Compare compares rows of a snapshot with the records of a topic.
func TestScan_Compare(t *testing.T) {
	const export = "1234/users/2026-11-30/"
	for _, test := range []struct {
		name    string
		records []*recordbatch.Record
		values  []int // of the snapshot's rows of k, in order
		want    []Verdict
	}{
		{"not in the topic", nil, []int{1, 1, 2}, []Verdict{New, Repeated, Duplicate}},
		{"in the topic", []*recordbatch.Record{record("k", "v", idOf("k", 1), export+"7")}, []int{1, 1}, []Verdict{Known, Repeated}},
		{"another row", []*recordbatch.Record{record("k", "v", idOf("k", 1), export+"7")}, []int{2, 1}, []Verdict{Changed, Duplicate}},
		{"the last record counts", []*recordbatch.Record{record("k", "v", idOf("k", 1), export+"7"), record("k", "v", idOf("k", 2), export+"8")}, []int{2}, []Verdict{Known}},
		{"deleted", []*recordbatch.Record{record("k", "v", idOf("k", 1), export+"7"), record("k", "", "", "")}, []int{1}, []Verdict{New}},
		{"of an export before again_from", []*recordbatch.Record{record("k", "v", idOf("k", 1), export+"4")}, []int{1}, []Verdict{Again}},
		{"changed, and of an export before again_from", []*recordbatch.Record{record("k", "v", idOf("k", 1), export+"4")}, []int{2}, []Verdict{Changed}},
		{"without the connector's headers", []*recordbatch.Record{record("k", "v", "", "")}, []int{1}, []Verdict{Again}},
		{"without an export of the connector", []*recordbatch.Record{record("k", "v", idOf("k", 1), "of another program")}, []int{1}, []Verdict{Again}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := NewScan("1234", "users", 1, 5, 1, nil)
			for _, r := range test.records {
				s.Add(0, r)
			}
			for i, value := range test.values {
				if got := s.Compare([]byte("k"), fingerprintOf("k", value)); got != test.want[i] {
					t.Errorf("row %d: verdict %d (%s), want %d", i, got, got.Op(), test.want[i])
				}
			}
		})
	}
}

// TestScan_Shared: keys whose last record is of another stream are shared.
func TestScan_Shared(t *testing.T) {
	s := NewScan("1234", "users", 1, 0, 1, nil)
	s.Add(0, record("a", "v", idOf("a", 1), "1234/others/2026-11-30/1"))
	s.Add(0, record("a", "v", idOf("a", 1), "1234/users/2026-11-30/1"))
	if err := s.Shared(); err != nil {
		t.Errorf("a key whose last record is of this stream: %v", err)
	}
	s.Add(0, record("b", "v", idOf("b", 1), "99/users/2026-11-30/1"))
	if shared, ok := errors.AsType[*SharedError](s.Shared()); !ok || shared.Keys != 1 {
		t.Errorf("Shared() = %v, want one key", s.Shared())
	}
	if s.Highest != 1 {
		t.Errorf("the highest export is %d, want 1", s.Highest)
	}
}

// TestScan_Partitions: the number of partitions is that of the record, or inferred from
// the keys; keys in other partitions than the hash says are an error.
func TestScan_Partitions(t *testing.T) {
	fill := func(spread, partitions int) *Scan {
		s := NewScan("1234", "users", 1, 0, partitions, nil)
		for i := range 100 {
			key := fmt.Sprint("key", i)
			s.Add(cluster.PartitionOf([]byte(key), spread), record(key, "v", idOf(key, 1), "1234/users/2026-11-30/1"))
		}
		return s
	}
	deleted := func(spread, partitions int) *Scan { // the rows are compacted away
		s := NewScan("1234", "users", 1, 0, partitions, nil)
		for i := range 100 {
			key := fmt.Sprint("key", i)
			s.Add(cluster.PartitionOf([]byte(key), spread), record(key, "", "", "1234/users/2026-11-30/2"))
		}
		return s
	}
	byHand := fill(4, 6)
	byHand.Add(5, record("key1", "", "", ""))
	for _, test := range []struct {
		name         string
		scan         *Scan
		pinned, want int
		misfit       bool
	}{
		{name: "an empty topic: all its partitions", scan: NewScan("1234", "users", 1, 0, 6, nil), pinned: 3, want: 6},
		{name: "as pinned", scan: fill(4, 4), pinned: 4, want: 4},
		{name: "partitions were added", scan: fill(4, 6), pinned: 4, want: 4},
		{name: "inferred", scan: fill(4, 4), want: 4},
		{name: "inferred after partitions were added", scan: fill(4, 6), want: 4},
		{name: "keys are not in the pinned partitions", scan: fill(4, 6), pinned: 5, misfit: true},
		{name: "fewer partitions than pinned", scan: fill(2, 2), pinned: 4, misfit: true},
		{name: "every key is deleted, and partitions were added", scan: deleted(4, 6), pinned: 4, want: 4},
		{name: "inferred from deletes", scan: deleted(4, 6), want: 4},
		{name: "deleted by hand elsewhere", scan: byHand, pinned: 4, want: 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := test.scan.Partitions(test.pinned)
			if _, misfit := errors.AsType[*MisfitError](err); got != test.want || misfit != test.misfit {
				t.Errorf("Partitions(%d) = %d, %v; want %d, misfit %t", test.pinned, got, err, test.want, test.misfit)
			}
		})
	}
	mixed := fill(4, 6)
	mixed.Add(5, record("key1", "v", idOf("key1", 1), "1234/users/2026-11-30/1"))
	if got, err := mixed.Partitions(0); err == nil {
		t.Errorf("a key in two partitions: Partitions(0) = %d, want an error", got)
	}
}

// TestEvidence_Judge: why a snapshot is not proven complete.
func TestEvidence_Judge(t *testing.T) {
	complete := Evidence{Ended: true, Framed: true, Rows: 1, Request: "r"}
	for _, test := range []struct {
		name   string
		change func(*Evidence)
		former string
		want   Why
	}{
		{"complete", func(*Evidence) {}, "r", ""},
		{"the first snapshot", func(*Evidence) {}, "", ""},
		{"cut", func(e *Evidence) { e.Ended = false }, "r", NotEnded},
		{"framed by the connection", func(e *Evidence) { e.Framed = false }, "r", UnprovenEnd},
		{"empty", func(e *Evidence) { e.Rows = 0 }, "r", NoRows},
		{"a row that can't be read", func(e *Evidence) { e.Unreadable = 1 }, "r", UnreadableRows},
		{"a key twice", func(e *Evidence) { e.Repeated = 1 }, "r", RepeatedKeys},
		{"another request", func(*Evidence) {}, "other", RequestChanged},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := complete
			test.change(&e)
			if got := e.whyInconclusive(test.former); got != test.want {
				t.Errorf("why = %q, want %q", got, test.want)
			}
		})
	}
}

// TestUnreadable: bad rows of these codes hide their key.
func TestUnreadable(t *testing.T) {
	for _, test := range []struct {
		code   schema.Code
		origin schema.Origin
		want   bool
	}{
		{schema.FieldCount, schema.OriginCSV, true}, {schema.BadQuotes, schema.OriginCSV, true}, {schema.InvalidUTF8, schema.OriginCSV, true},
		{schema.TooLarge, schema.OriginCSV, true}, {schema.TooLarge, schema.OriginKafka, false},
		{schema.BadValue, schema.OriginSchema, false}, {schema.EmptyKey, schema.OriginSchema, false},
	} {
		if got := Unreadable(&schema.BadRow{Code: test.code, Origin: test.origin}); got != test.want {
			t.Errorf("Unreadable(%s of %s) = %t", test.code, test.origin, got)
		}
	}
}

func TestCeiling(t *testing.T) {
	for profiles, want := range map[int]int{0: 0, 1: 0, 10: 5, 19: 9, 100: 10, 1000: 10, 1500: 15, 1_000_000: 10_000} {
		if got := Ceiling(profiles, 0.01); got != want {
			t.Errorf("Ceiling(%d) = %d, want %d", profiles, got, want)
		}
	}
}

// TestDecide_Window: deletes of the last seven days count for the limit, older ones do not.
func TestDecide_Window(t *testing.T) {
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	before := &ledger.Profiles{Request: "r", Deletes: []ledger.Deletion{
		{At: start, Export: 1, N: 6, Done: true}, {At: start.Add(48 * time.Hour), Export: 3, N: 3, Done: true},
	}}
	for _, test := range []struct {
		name     string
		at       time.Duration
		absent   int
		approved *ledger.Approval
		want     Why
		withheld int
	}{
		{"one more", 72 * time.Hour, 1, nil, "", 0},
		{"two more", 72 * time.Hour, 2, nil, OverCeiling, 2},
		{"two more, approved", 72 * time.Hour, 2, &ledger.Approval{N: 2, Until: start.Add(100 * time.Hour)}, "", 0},
		{"three more, two approved", 72 * time.Hour, 3, &ledger.Approval{N: 2, Until: start.Add(100 * time.Hour)}, OverCeiling, 3},
		{"two more, the approval has expired", 101 * time.Hour, 2, &ledger.Approval{N: 2, Until: start.Add(100 * time.Hour)}, OverCeiling, 2},
		{"the first deletes are a week old", Window, 7, nil, "", 0},
		{"no key is absent", 72 * time.Hour, 0, nil, "", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := NewScan("1234", "users", 1, 0, 1, nil)
			for i := range 100 {
				s.Add(0, record(fmt.Sprint(i), "v", idOf(fmt.Sprint(i), 1), "1234/users/2026-11-30/1"))
			}
			for i := test.absent; i < 100; i++ {
				s.Compare([]byte(fmt.Sprint(i)), fingerprintOf(fmt.Sprint(i), 1))
			}
			b := *before
			b.Approved = test.approved
			now := start.Add(test.at)
			d := s.Decide(Policy{Most: 0.01}, &b, Snapshot{N: 9, Started: now, Now: now, Evidence: Evidence{Ended: true, Framed: true, Rows: 1, Request: "r"}})
			if d.Why != test.want || d.Record.Withheld != test.withheld {
				t.Errorf("why %q, %d withheld; want %q, %d", d.Why, d.Record.Withheld, test.want, test.withheld)
			}
			if marked := len(d.Marks); d.Why == "" && marked != test.absent || d.Why != "" && marked != 0 {
				t.Errorf("%d keys are marked, %d are absent, why %q", marked, test.absent, d.Why)
			}
			if test.absent == 0 && d.Record.Approved != nil {
				t.Error("the approval is kept although no key is absent")
			}
		})
	}
}

// TestDeleted_Approval: an approval is spent with the deletes that it was given for. Those who
// are absent from the next snapshot are others.
func TestDeleted_Approval(t *testing.T) {
	for _, test := range []struct {
		name            string
		missing, due    int
		stillIsApproved bool
	}{
		{"all that were absent", 20, 20, false},
		{"some of them", 20, 19, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := &ledger.Profiles{Missing: test.missing, Deletes: []ledger.Deletion{{N: test.due}}, Approved: &ledger.Approval{N: 20}}
			Deleted(r, test.due)
			if is := r.Approved != nil; is != test.stillIsApproved || !r.Deletes[0].Done {
				t.Errorf("approved: %t, want %t; deletes %+v", is, test.stillIsApproved, r.Deletes)
			}
		})
	}
}

// TestMark_Append writes marks and reads them back.
func TestMark_Append(t *testing.T) {
	want := Marks{}
	var run []byte
	for i, m := range []Mark{{Hash: HashKey(1, []byte("a")), N: 1}, {Hash: HashKey(1, []byte("b")), N: 1<<47 - 1, Reserved: true}} {
		run = m.Append(run)
		if len(run) != (i+1)*MarkSize {
			t.Fatalf("%d bytes", len(run))
		}
		want[m.Hash] = &m
	}
	got := Marks{}
	if err := got.Load(run); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Load = %v, %v; want %v", got, err, want)
	}
	if err := got.Load(run[1:]); !errors.Is(err, ErrMarks) {
		t.Errorf("Load of %d bytes: %v", len(run)-1, err)
	}
}

// TestDecide_Due: a key that was marked as absent is deleted after the time of the policy,
// unless it has a newer record.
func TestDecide_Due(t *testing.T) {
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	const export = "1234/users/2026-11-30/"
	for _, test := range []struct {
		name   string
		last   *recordbatch.Record
		after  time.Duration
		policy Policy
		due    bool
	}{
		{"marked a day ago", record("k", "v", idOf("k", 1), export+"4"), 24 * time.Hour, Policy{After: 24 * time.Hour, Most: 1}, true},
		{"marked less than a day ago", record("k", "v", idOf("k", 1), export+"4"), 24*time.Hour - 1, Policy{After: 24 * time.Hour, Most: 1}, false},
		{"published since", record("k", "v", idOf("k", 1), export+"6"), 24 * time.Hour, Policy{Most: 1}, false},
		{"overwritten by another program", record("k", "v", "", ""), 24 * time.Hour, Policy{Most: 1}, false},
		{"already deleted", record("k", "", "", export+"5"), 24 * time.Hour, Policy{Most: 1}, false},
		{"the policy deletes nothing", record("k", "v", idOf("k", 1), export+"4"), 24 * time.Hour, Policy{Most: 1, Never: true}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := HashKey(1, []byte("k"))
			s := NewScan("1234", "users", 1, 0, 1, Marks{h: {Hash: h, N: 5}})
			s.Add(0, test.last)
			for _, key := range []string{"a", "b"} {
				s.Add(0, record(key, "v", idOf(key, 1), export+"4"))
				s.Compare([]byte(key), fingerprintOf(key, 1))
			}
			before := &ledger.Profiles{Request: "r", Absent: ledger.Absent{Times: map[int]time.Time{5: start}}}
			now := start.Add(test.after)
			d := s.Decide(test.policy, before, Snapshot{N: 7, Started: now, Now: now, Evidence: Evidence{Ended: true, Framed: true, Rows: 2, Request: "r"}})
			if due := len(d.Due) == 1; due != test.due || due && string(d.Due[0].Key) != "k" {
				t.Errorf("due: %v, want %t; why %q", d.Due, test.due, d.Why)
			}
		})
	}
}
