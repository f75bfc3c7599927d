package store_test

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/ledger/store"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/schema"
)

// fingerprints returns the fingerprints with numbers from from up to, but not including, to.
func fingerprints(from, to int) []schema.Fingerprint {
	list := make([]schema.Fingerprint, 0, to-from)
	for i := from; i < to; i++ {
		var f schema.Fingerprint
		binary.BigEndian.PutUint64(f[:], uint64(i)*0x9e3779b97f4a7c15)
		binary.BigEndian.PutUint64(f[8:], uint64(i))
		list = append(list, f)
	}
	return list
}

// unsaved returns a day whose rows are not in the ledger yet.
func unsaved(list []schema.Fingerprint) *dedup.Day {
	d := new(dedup.Day)
	for _, f := range list {
		d.Recover(dedup.Copy{Fingerprint: f})
	}
	return d
}

// contents counts the copies of a set's fingerprints, by their number.
func contents(set *dedup.Set) map[int]int {
	found := map[int]int{}
	for f := range set.All {
		found[int(binary.BigEndian.Uint64(f[8:]))]++
	}
	return found
}

func copies(n, from, to int) map[int]int {
	m := map[int]int{}
	for i := from; i < to; i++ {
		m[i] = n
	}
	return m
}

func TestLoadSet(t *testing.T) {
	s := newTestLedger(t, 1)
	w := s.writer(0)
	next := func() int64 {
		s.flush()
		logs, err := s.Cluster.Offsets(s.soon(), recordbatch.TopicPartition{Topic: s.Rows})
		if err != nil {
			t.Fatal(err)
		}
		return logs[0].End
	}
	other := ledger.DayName{Stream: "events", Day: day.Day + 1}
	write := func(n ledger.DayName, generation, from, to int) {
		t.Helper()
		if err := w.Save(n, generation, unsaved(fingerprints(from, to))); err != nil {
			t.Fatal(err)
		}
	}
	start := next()
	write(day, 1, 0, 3)
	write(other, 1, 0, 10)
	write(day, 2, 3, 5)
	write(day, 1, 1, 3) // second copies
	middle := next()
	write(day, 1, 100, 100+store.RowsPerRecord+1) // two records
	end := next()

	tests := map[string]struct {
		name       ledger.DayName
		generation int
		ranges     []ledger.Range
		want       map[int]int
	}{
		"nothing":            {day, 1, nil, map[int]int{}},
		"first range":        {day, 1, []ledger.Range{{0, start, middle}}, map[int]int{0: 1, 1: 2, 2: 2}},
		"second range":       {day, 1, []ledger.Range{{0, middle, end}}, copies(1, 100, 100+store.RowsPerRecord+1)},
		"two ranges":         {day, 2, []ledger.Range{{0, start, start + 1}, {0, start + 2, middle}}, map[int]int{3: 1, 4: 1}},
		"another day":        {other, 1, []ledger.Range{{0, start, end}}, copies(1, 0, 10)},
		"another generation": {other, 2, []ledger.Range{{0, start, end}}, map[int]int{}},
		"another stream":     {ledger.DayName{Stream: "event", Day: day.Day}, 1, []ledger.Range{{0, start, end}}, map[int]int{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			set, err := s.LoadSet(s.soon(), test.name, &ledger.Day{Generation: test.generation, Fingerprints: test.ranges})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, contents(set)); diff != "" {
				t.Errorf("set (-want +got):\n%s", diff)
			}
		})
	}

	t.Run("lost at the beginning", func(t *testing.T) {
		if err := s.fake.DeleteRecords(s.Rows, 0, start+3); err != nil {
			t.Fatal(err)
		}
		set, err := s.LoadSet(s.soon(), day, &ledger.Day{Generation: 1, Fingerprints: []ledger.Range{{0, start, middle}}})
		var lost *store.LostError
		if !errors.As(err, &lost) {
			t.Fatalf("error %v, want a LostError", err)
		}
		want := store.LostError{Day: day, Have: &cluster.RangeError{Topic: s.Rows, From: start, To: middle, Start: start + 3, End: end}}
		if diff := cmp.Diff(want, *lost); diff != "" {
			t.Errorf("error (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(map[int]int{1: 1, 2: 1}, contents(set)); diff != "" {
			t.Errorf("set of what is left (-want +got):\n%s", diff)
		}
	})
	t.Run("lost at the end", func(t *testing.T) {
		set, err := s.LoadSet(s.soon(), day, &ledger.Day{Generation: 1, Fingerprints: []ledger.Range{{0, middle - 1, middle}, {0, end, end + 5}}})
		var lost *store.LostError
		if !errors.As(err, &lost) || lost.Have.From != end {
			t.Fatalf("error %v, want a LostError from offset %d", err, end)
		}
		if diff := cmp.Diff(map[int]int{1: 1, 2: 1}, contents(set)); diff != "" {
			t.Errorf("set of what is left (-want +got):\n%s", diff)
		}
	})
	t.Run("in a partition that the topic no longer has", func(t *testing.T) {
		set, err := s.LoadSet(s.soon(), day, &ledger.Day{Published: 4, Generation: 1, Fingerprints: []ledger.Range{{0, middle - 1, middle}, {7, 3, 5}}})
		var lost *store.LostError
		if !errors.As(err, &lost) || lost.Rows != 2 || set.Rows() != 2 {
			t.Fatalf("error %v, want a LostError of 2 rows", err)
		}
	})
	t.Run("no fingerprints", func(t *testing.T) {
		err := s.client.ProduceSync(s.soon(), &kgo.Record{Topic: s.Rows, Key: []byte("1234/events/2026-11-22"), Value: []byte("fifteen bytes !"),
			Headers: []kgo.RecordHeader{{Key: "generation", Value: []byte("1")}}}).FirstErr()
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.LoadSet(s.soon(), day, &ledger.Day{Generation: 1, Fingerprints: []ledger.Range{{0, end, end + 1}}})
		var unreadable *store.RecordError
		if !errors.As(err, &unreadable) || unreadable.Offset != end {
			t.Errorf("error %v, want a RecordError for offset %d", err, end)
		}
	})
}

func TestCut(t *testing.T) {
	ranges := []ledger.Range{{0, 10, 20}, {1, 10, 20}, {0, 30, 40}}
	tests := map[string]struct {
		partition int
		next      int64
		want      []ledger.Range
	}{
		"behind all":     {0, 40, ranges},
		"inside":         {0, 35, []ledger.Range{{0, 10, 20}, {1, 10, 20}, {0, 30, 35}}},
		"at a beginning": {0, 30, []ledger.Range{{0, 10, 20}, {1, 10, 20}}},
		"before all":     {0, 0, []ledger.Range{{1, 10, 20}}},
		"another":        {2, 0, ranges},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			before := append([]ledger.Range(nil), ranges...)
			if diff := cmp.Diff(test.want, ledger.Cut(ranges, test.partition, test.next)); diff != "" {
				t.Errorf("ranges (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, ranges); diff != "" {
				t.Errorf("Cut changes the ranges that it was given:\n%s", diff)
			}
		})
	}
}

func TestExtend(t *testing.T) {
	tests := map[string]struct {
		ranges          []ledger.Range
		partition       int
		since, from, to int64
		want            []ledger.Range
	}{
		"the first":                 {nil, 0, 0, 5, 9, []ledger.Range{{0, 5, 9}}},
		"adjacent":                  {[]ledger.Range{{0, 5, 9}}, 0, 9, 9, 12, []ledger.Range{{0, 5, 12}}},
		"adjacent, of an older run": {[]ledger.Range{{0, 5, 9}}, 0, 100, 9, 12, []ledger.Range{{0, 5, 12}}},
		"near":                      {[]ledger.Range{{0, 5, 9}}, 0, 9, 265, 266, []ledger.Range{{0, 5, 266}}},
		"far":                       {[]ledger.Range{{0, 5, 9}}, 0, 9, 266, 267, []ledger.Range{{0, 5, 9}, {0, 266, 267}}},
		"near, of an older run":     {[]ledger.Range{{0, 5, 9}}, 0, 11, 12, 14, []ledger.Range{{0, 5, 9}, {0, 12, 14}}},
		"another partition":         {[]ledger.Range{{0, 5, 9}}, 1, 0, 9, 12, []ledger.Range{{0, 5, 9}, {1, 9, 12}}},
		"a topic made anew":         {[]ledger.Range{{0, 50, 90}}, 0, 0, 3, 4, []ledger.Range{{0, 50, 90}, {0, 3, 4}}},
		"not the last":              {[]ledger.Range{{0, 5, 9}, {1, 5, 9}}, 0, 0, 9, 12, []ledger.Range{{0, 5, 9}, {1, 5, 9}, {0, 9, 12}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, ledger.Extend(test.ranges, test.partition, test.since, test.from, test.to)); diff != "" {
				t.Errorf("ranges (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPolicies(t *testing.T) {
	repair := func(s *testLedger, topic, config, value string) string {
		return "kafka-configs.sh --bootstrap-server " + s.Cluster.Bootstrap() + " --alter --entity-type topics --entity-name " + topic + " --add-config " + config + "=" + value
	}
	tests := map[string]struct {
		rows   bool // the topic of fingerprints, else that of the state
		set    map[string]string
		config string // "": none is wrong
		have   string
		want   string
		repair string
	}{
		"as created":             {},
		"kept for ever":          {rows: true, set: map[string]string{"retention.ms": "-1"}},
		"kept for longer":        {rows: true, set: map[string]string{"retention.ms": "9999999999"}},
		"state is deleted":       {set: map[string]string{"cleanup.policy": "delete"}, config: "cleanup.policy", have: "delete", want: "compact alone", repair: "compact"},
		"state is deleted too":   {set: map[string]string{"cleanup.policy": "compact,delete"}, config: "cleanup.policy", have: "compact,delete", want: "compact alone", repair: "compact"},
		"rows are compacted":     {rows: true, set: map[string]string{"cleanup.policy": "compact"}, config: "cleanup.policy", have: "compact", want: "delete", repair: "delete"},
		"rows are bounded":       {rows: true, set: map[string]string{"retention.bytes": "1000"}, config: "retention.bytes", have: "1000", want: "-1 (no limit)", repair: "-1"},
		"state in small batches": {set: map[string]string{"max.message.bytes": "524287"}, config: "max.message.bytes", have: "524287", want: "524288 at least", repair: "524288"},
		"rows in small batches":  {rows: true, set: map[string]string{"max.message.bytes": "1000"}, config: "max.message.bytes", have: "1000", want: "524288 at least", repair: "524288"},
		"batches large enough":   {rows: true, set: map[string]string{"max.message.bytes": "524288"}},
		"rows are kept a week":   {rows: true, set: map[string]string{"retention.ms": "604800000"}, config: "retention.ms", have: "604800000", want: "35 days (3024000000) or -1", repair: "3024000000"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTestLedger(t, 1)
			topic := s.Topic
			if test.rows {
				topic = s.Rows
			}
			s.alter(topic, test.set)
			faults, err := s.CheckPolicies(s.soon())
			if err != nil {
				t.Fatal(err)
			}
			var want []error
			if test.config != "" {
				want = []error{&cluster.ConfigError{Topic: topic, Config: test.config, Have: test.have, Want: test.want, User: "the ledger", Repair: repair(s, topic, test.config, test.repair)}}
			}
			if diff := cmp.Diff(want, faults); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}
