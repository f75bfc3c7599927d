package schedule

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/schema"
)

// TestState_AdmitColumns_Bounded remembers no more names than the ledger's record has room for. Those beyond it are new each time, and a
// stream whose contract is to freeze refuses them.
func TestState_AdmitColumns_Bounded(t *testing.T) {
	many := make([]string, 60_000)
	for i := range many {
		many[i] = fmt.Sprintf("column_%05d", i)
	}
	const fit = mostColumnBytes / len("column_00000")
	for _, contract := range []schema.Contract{schema.ContractEvolve, schema.ContractFreeze} {
		t.Run(string(contract), func(t *testing.T) {
			state := &State{streams: []*stream{{Stream: Stream{Name: "events", Contract: contract}}}}
			if refused, changed, events := state.AdmitColumns("events", many); len(refused) > 0 || !changed || len(events) > 0 {
				t.Errorf("first header: refused %d, changed %t, events %v", len(refused), changed, events)
			}
			if diff := cmp.Diff(many[:fit], state.AcceptedColumns("events")); diff != "" {
				t.Error(diff)
			}
			refused, changed, events := state.AdmitColumns("events", append([]string{"later"}, many...))
			var want []string
			if contract == schema.ContractFreeze {
				want = append([]string{"later"}, many[fit:]...)
			}
			if diff := cmp.Diff(want, refused); diff != "" {
				t.Error(diff)
			}
			if size := len(strings.Join(state.streams[0].columns.Refused, "")); size > mostColumnBytes {
				t.Errorf("%d bytes of refused names", size)
			}
			if frozen := contract == schema.ContractFreeze; changed != frozen || (len(events) == 1) != frozen {
				t.Errorf("changed %t, events %d", changed, len(events))
			}
			if _, changed, events = state.AdmitColumns("events", append([]string{"later"}, many...)); changed || len(events) > 0 {
				t.Errorf("the same header again: changed %t, events %v", changed, events)
			}
		})
	}
}
