package store_test

import (
	"testing"

	"dfinery-kafka/pipeline/ledger"
)

// TestLoadMarks: the marks of the ranges that the topic still has are loaded. It may have been
// recreated with fewer records, or with fewer partitions.
func TestLoadMarks(t *testing.T) {
	s := newTestLedger(t, 1)
	w := s.writer(0)
	start := s.rowsEnd()
	for _, marks := range []string{"0123456789abcdef", "0123456789ABCDEF"} {
		if err := w.Marks("users", 3, []byte(marks)); err != nil {
			t.Fatal(err)
		}
		s.flush()
	}
	end := s.rowsEnd()
	var got string
	err := s.LoadMarks(s.soon(), "users", []ledger.Range{{0, start, end}, {0, end, end + 3}, {7, 2, 4}}, func(marks []byte) error {
		got += string(marks)
		return nil
	})
	if err != nil || got != "0123456789abcdef0123456789ABCDEF" {
		t.Errorf("loaded %q, %v", got, err)
	}
}
