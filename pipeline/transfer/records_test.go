package transfer

import (
	"errors"
	"testing"

	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/schema"
)

// refusingPartition refuses every record.
type refusingPartition struct{ why error }

func (p refusingPartition) TryFlush() bool { return false }

func (p refusingPartition) Append([]byte, recordbatch.Value, []recordbatch.Header) error {
	return p.why
}

// TestRecordWriter_Refused: a row that can't be encoded, or that Kafka refuses, is a bad row
// with its fingerprint; any other error ends the export.
func TestRecordWriter_Refused(t *testing.T) {
	columns, err := schema.NewColumns([]string{"key"})
	if err != nil {
		t.Fatal(err)
	}
	row := &schema.Row{Columns: columns, Cells: []schema.Span{{End: 1}}, Data: []byte("k"), Raw: []byte("k")}
	failed := errors.New("no connection")
	copyOf := dedup.Copy{Fingerprint: schema.BadFingerprint([]byte("k")), Number: 2}
	for name, test := range map[string]struct {
		why  error
		code schema.Code // empty: not a bad row
		copy int
	}{
		"no value":  {&schema.BadRow{Code: schema.BadValue}, schema.BadValue, 0},
		"too large": {&producer.TooLargeError{}, schema.TooLarge, 2},
		"Kafka":     {failed, "", 0},
	} {
		w := &recordWriter{senders: []Appender{refusingPartition{test.why}}, headers: newRecordHeaders(&HeaderOptions{}, &schema.Export{}, false)}
		err := w.append(row, []byte("k"), copyOf)
		bad, isBad := errors.AsType[*schema.BadRow](err)
		switch {
		case isBad != (test.code != ""):
			t.Errorf("%s: %v", name, err)
		case !isBad && !errors.Is(err, failed):
			t.Errorf("%s: %v, want %v", name, err, failed)
		case isBad && (bad.Code != test.code || bad.Copy != test.copy || bad.Fingerprint == nil || *bad.Fingerprint != copyOf.Fingerprint):
			t.Errorf("%s: %+v", name, bad)
		}
	}
}

// TestRecordWriter_TryFlush: all partitions are flushed, even after one that can't send now.
func TestRecordWriter_TryFlush(t *testing.T) {
	if w := (&recordWriter{senders: []Appender{new(partition), new(partition)}}); !w.tryFlush() {
		t.Error("TryFlush() = false with two partitions that can send")
	}
	if w := (&recordWriter{senders: []Appender{refusingPartition{}, new(partition)}}); w.tryFlush() {
		t.Error("TryFlush() = true with one partition that can't send")
	}
}
