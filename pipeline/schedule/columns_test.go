package schedule

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/schema"
)

// TestStream_AdmitColumns_Bounded: the number of column names kept is limited by the size
// of the ledger's record. Further names are reported as new in each export; with
// CONTRACT=freeze they are refused.
func TestStream_AdmitColumns_Bounded(t *testing.T) {
	many := make([]string, 60_000)
	for i := range many {
		many[i] = fmt.Sprintf("column_%05d", i)
	}
	const fit = maxColumnBytes / len("column_00000")
	for _, contract := range []schema.Contract{schema.ContractEvolve, schema.ContractFreeze} {
		t.Run(string(contract), func(t *testing.T) {
			stream := newStream(StreamConfig{Name: "events", Contract: contract}, nil)
			if refused, changed, events := stream.AdmitColumns(many); len(refused) > 0 || !changed || len(events) > 0 {
				t.Errorf("first header: refused %d, changed %t, events %v", len(refused), changed, events)
			}
			if diff := cmp.Diff(many[:fit], stream.columns.accepted); diff != "" {
				t.Error(diff)
			}
			refused, changed, events := stream.AdmitColumns(append([]string{"later"}, many...))
			var want []string
			if contract == schema.ContractFreeze {
				want = append([]string{"later"}, many[fit:]...)
			}
			if diff := cmp.Diff(want, refused); diff != "" {
				t.Error(diff)
			}
			if size := len(strings.Join(stream.columns.refused, "")); size > maxColumnBytes {
				t.Errorf("%d bytes of refused names", size)
			}
			if frozen := contract == schema.ContractFreeze; changed != frozen || (len(events) == 1) != frozen {
				t.Errorf("changed %t, events %d", changed, len(events))
			}
			if _, changed, events = stream.AdmitColumns(append([]string{"later"}, many...)); changed || len(events) > 0 {
				t.Errorf("the same header again: changed %t, events %v", changed, events)
			}
		})
	}
}
