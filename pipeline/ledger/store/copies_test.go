package store_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/ledger/store"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/schema"
)

// TestSave_Copies: the ledger has the numbers of the published copies of a row. A reader that
// ignores them still counts all rows.
func TestSave_Copies(t *testing.T) {
	s := newTestLedger(t, 1)
	w := s.writer(0)
	list := fingerprints(0, 3)
	all := dedup.Day{Set: new(dedup.Set)}
	want := map[dedup.Copy]bool{}
	ranges := []ledger.Range{{0, s.rowsEnd(), 0}}
	for _, part := range [][][2]int{{{0, 0}, {1, 1}, {2, 20}}, {{0, 2}, {1, 0}, {1, 300}}} {
		for _, row := range part {
			c := dedup.Copy{Fingerprint: list[row[0]], Number: row[1]}
			all.AddCopy(c)
			want[c] = true
		}
		if err := w.Save(day, 1, &all); err != nil {
			t.Fatal(err)
		}
		all.Saved()
		s.flush()
	}
	ranges[0][2] = s.rowsEnd()
	all.Rewrite()
	if err := w.Save(day, 1, &all); err != nil {
		t.Fatal(err)
	}
	s.flush()
	rewritten := []ledger.Range{{0, ranges[0][2], s.rowsEnd()}}
	for _, ranges := range [][]ledger.Range{ranges, rewritten} {
		set, err := s.LoadSet(s.soon(), day, &ledger.Day{Generation: 1, Published: len(want), Fingerprints: ranges})
		if err != nil {
			t.Fatal(err)
		}
		got := map[dedup.Copy]bool{}
		for f, n := range set.All {
			got[dedup.Copy{Fingerprint: f, Number: n}] = true
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("published copies in %v (-want +got):\n%s", ranges, diff)
		}
		rows := map[schema.Fingerprint]int{}
		at := recordbatch.TopicPartition{Topic: s.Rows}
		err = s.Cluster.Read(s.soon(), at, ranges[0][1], ranges[0][2], recordbatch.Visitor{Record: func(r *recordbatch.Record) error {
			for v := r.Value; len(v) > 0; v = v[16:] {
				rows[schema.Fingerprint(v[:16])]++
			}
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[schema.Fingerprint]int{list[0]: 2, list[1]: 3, list[2]: 1}, rows); diff != "" {
			t.Errorf("rows of each fingerprint in %v, without copy numbers (-want +got):\n%s", ranges, diff)
		}
	}
}

// TestLoadSet_BadCopies: copy numbers that do not match their record are an error.
func TestLoadSet_BadCopies(t *testing.T) {
	s := newTestLedger(t, 1)
	for name, copies := range map[string][]byte{"too few": {1}, "cut": {1, 0x80}, "too large": {1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, "empty": {}} {
		at := s.rowsEnd()
		err := s.client.ProduceSync(s.soon(), &kgo.Record{Topic: s.Rows, Key: []byte("1234/events/2026-11-22"), Value: make([]byte, 32),
			Headers: []kgo.RecordHeader{{Key: "generation", Value: []byte("1")}, {Key: "copies", Value: copies}}}).FirstErr()
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.LoadSet(s.soon(), day, &ledger.Day{Generation: 1, Fingerprints: []ledger.Range{{0, at, at + 1}}})
		var unreadable *store.RecordError
		if !errors.As(err, &unreadable) || unreadable.Offset != at {
			t.Errorf("%s: error %v, want a RecordError for offset %d", name, err, at)
		}
	}
}

// rowsEnd returns the end offset of the topic of fingerprints.
func (s *testLedger) rowsEnd() int64 {
	s.t.Helper()
	logs, err := s.Cluster.Offsets(s.soon(), recordbatch.TopicPartition{Topic: s.Rows})
	if err != nil {
		s.t.Fatal(err)
	}
	return logs[0].End
}
