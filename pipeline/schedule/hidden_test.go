package schedule

import (
	"testing"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// TestState_CheckHeader_Accepted: what Resume accepts stays accepted while other headers are met, until its own columns are known.
func TestState_CheckHeader_Accepted(t *testing.T) {
	state := &State{streams: []*stream{{Stream: Stream{Name: "events", Hidden: "lists"}}}}
	usual := &Header{Names: []string{"id", "phone"}, Listed: []string{"phone"}, Hash: "usual"}
	renamed := &Header{Names: []string{"id", "mobile"}, Listed: []string{"phone"}, Missing: []string{"phone"}, Hash: "renamed"}
	check := func(h *Header, refused bool) {
		t.Helper()
		if got, _ := state.CheckHeader("events", h); (got != nil) != refused {
			t.Fatalf("%s: refused %+v", h.Hash, got)
		}
	}
	state.AdmitColumns("events", []string{"id"})
	check(usual, false)
	check(renamed, true)
	state.streams[0].kept.Halted = &ledger.Halt{Code: schema.PrivacyColumns}
	check(usual, false) // of an export that was under way
	state.Resume("events", time.Time{})
	check(usual, false)
	check(renamed, false)
	state.AdmitColumns("events", []string{"id", "mobile"})
	check(renamed, false)
	check(&Header{Names: []string{"id", "cell"}, Listed: []string{"phone"}, Missing: []string{"phone"}, Hash: "other"}, true)
}
