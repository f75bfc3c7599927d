package schedule

import (
	"strings"
	"testing"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// TestStream_CheckHeader_Accepted: a header that Resume accepted remains accepted after
// other headers were checked.
func TestStream_CheckHeader_Accepted(t *testing.T) {
	stream := newStream(StreamConfig{Name: "events", Hidden: "lists"}, nil)
	usual := &Header{Names: []string{"id", "phone"}, Listed: []string{"phone"}, Hash: "usual"}
	renamed := &Header{Names: []string{"id", "mobile"}, Listed: []string{"phone"}, Missing: []string{"phone"}, Hash: "renamed"}
	check := func(h *Header, refused bool) {
		t.Helper()
		if got, _ := stream.CheckHeader(h); (got != nil) != refused {
			t.Fatalf("%s: refused %+v", h.Hash, got)
		}
	}
	stream.AdmitColumns([]string{"id"})
	check(usual, false)
	check(renamed, true)
	stream.halted = &ledger.Halt{Code: schema.PrivacyColumns}
	check(usual, false) // of an export that began before
	stream.Resume(time.Time{})
	check(usual, false)
	check(renamed, false)
	stream.AdmitColumns([]string{"id", "mobile"})
	check(renamed, false)
	check(&Header{Names: []string{"id", "cell"}, Listed: []string{"phone"}, Missing: []string{"phone"}, Hash: "other"}, true)
}

// TestStream_WithholdDetails: details of failures may quote cells, and are removed once the
// stream hides columns.
func TestStream_WithholdDetails(t *testing.T) {
	const cell = "01055512345"
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	name := ledger.DayName{Stream: "events", Day: schema.DayOf(now, time.UTC)}
	for _, hidden := range []string{"", "drop\x01phone\x02"} {
		state := New([]StreamConfig{{Name: "events", Hidden: hidden, HiddenKey: hidden}}, Policy{Service: "1234", Location: time.UTC}, now)
		state.Load(&ledger.Service{Streams: map[string]ledger.Stream{"events": {Halted: &ledger.Halt{Code: "http_400", Detail: cell}}}},
			map[ledger.DayName]ledger.Day{name: {State: ledger.Pending, Error: &ledger.Fault{Code: "http_400", Detail: cell}}}, now)
		for what, detail := range map[string]string{"halt": state.streams[0].halted.Detail, "day": state.Find(name).record.Error.Detail} {
			if got := strings.Contains(detail, cell); got != (hidden == "") || !strings.Contains(detail, "http_400") && hidden != "" {
				t.Errorf("hidden %q: the %s has %q", hidden, what, detail)
			}
		}
	}
}
