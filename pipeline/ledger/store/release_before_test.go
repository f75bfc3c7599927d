package store_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/pipeline/recordbatch"
)

// dumped is a record in the ledger of the previous release. cmd/e2e writes the file:
// TestRelease_Rollback -update.
type dumped struct {
	Topic      string // "" or ".rows"
	Offset     int64
	Key, Value string
	Generation string
	Prints     []byte
}

func readDump(t *testing.T) (records []dumped) {
	file, err := os.ReadFile("testdata/release-before.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(bytes.NewReader(file)); lines.Scan(); {
		var d dumped
		if err := json.Unmarshal(lines.Bytes(), &d); err != nil {
			t.Fatal(err)
		}
		records = append(records, d)
	}
	return records
}

// TestReleaseBefore reads a ledger of the previous release, and compares counts, fingerprints and
// columns. When the records are written again they are equal, with the members that this release
// does not know.
func TestReleaseBefore(t *testing.T) {
	s := newTestLedger(t, 1)
	want := map[string]any{} // by key
	for _, d := range readDump(t) {
		record := &kgo.Record{Topic: s.Topic + d.Topic, Key: []byte(d.Key), Value: d.Prints}
		if d.Topic == "" {
			value := strings.ReplaceAll(strings.TrimSuffix(d.Value, "}"), `"topic":"ledger`, `"topic":"`+s.Topic) + `,"a_later_release":[1,{"x":"2"}]}`
			record.Value = []byte(value)
			want[d.Key] = parsed(t, value)
		} else {
			record.Headers = []kgo.RecordHeader{{Key: "generation", Value: []byte(d.Generation)}}
		}
		for offset := int64(-1); offset < d.Offset; offset = record.Offset {
			if offset >= 0 { // in the place of a marker
				record = &kgo.Record{Topic: record.Topic, Key: record.Key, Value: record.Value, Headers: record.Headers}
			}
			if err := s.client.ProduceSync(s.soon(), record).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
	}
	state := s.load()
	if n := len(state.Days); n != 3 {
		t.Errorf("%d days, want 3", n)
	}
	for name := range state.Days {
		d := state.Confirmed(name, s.Rows)
		set, err := s.LoadSet(s.soon(), name, &d)
		if err != nil {
			t.Fatal(err)
		}
		if got := [4]int{d.Published, d.Rows, d.Bad, set.Rows()}; got != [4]int{40, 40, 0, 40} {
			t.Errorf("%v has published, rows, bad and fingerprints %v, want 40, 40, 0 and 40", name, got)
		}
	}
	columns := state.Service.Streams["events"].Columns
	if n := len(columns); n != 40 || columns[0] != "df_unified_id" {
		t.Errorf("columns %v, want 40, df_unified_id first", columns)
	}

	w := s.writer(0)
	since := s.load().End
	err := errors.Join(w.Owner(state.Owner), w.Checkpoint(state.Checkpoint), w.Service(state.Service))
	for name, d := range state.Days {
		err = errors.Join(err, w.Day(name, d))
	}
	if err != nil {
		t.Fatal(err)
	}
	s.flush()
	got := map[string]any{}
	err = s.Cluster.Read(s.soon(), recordbatch.TopicPartition{Topic: s.Topic}, since, s.load().End, recordbatch.Visitor{Record: func(r *recordbatch.Record) error {
		got[string(r.Key)] = parsed(t, string(r.Value))
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("records (-previous release +written again):\n%s", diff)
	}
}

// parsed decodes a record's value, without rounding numbers.
func parsed(t *testing.T, value string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(value))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", value, err)
	}
	return v
}
