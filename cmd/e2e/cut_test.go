package e2e

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// TestCutEverywhere cuts, resets or stalls, in turn, the body of one day at every CUT_EVERY-th byte, one call after the other: no torn
// row is published, none is lost or published twice, and each failed call has one dead letter.
func TestCutEverywhere(t *testing.T) {
	t.Parallel()
	every := number(t, "CUT_EVERY", 97*150)
	breaks := []exporttest.Break{exporttest.Close, exporttest.Reset, exporttest.Stall}
	api := &exporttest.Server{
		Limits: exporttest.Limits{PerHour: -1, AtOnce: -1}, Data: exporttest.Data{Seed: 81, RowsPerDay: 2000, Odd: 0.2, Duplicates: 0.02},
		Faults: func(c exporttest.Call) *exporttest.Fault {
			if at := int64((c.N - 1) * every); at < 2000*350 {
				return &exporttest.Fault{Then: breaks[c.N%len(breaks)], At: at}
			}
			return nil
		},
	}
	b := newBench(t, api)
	b.unbounded()
	for name, value := range map[string]string{
		"STREAM_EVENTS_START": "0", "BREAKER_FAILURES": "100000", "RETRY_BACKOFF": "1ms", "RETRY_MAX_BACKOFF": "2ms", "DFINERY_IDLE_TIMEOUT": "100ms",
		"DFINERY_HEADER_TIMEOUT": "200ms",
	} {
		b.environ[name] = value
	}
	b.once(0)
	compare(t, b.served(schema.Event), b.published("events"))
	b.balanced()
	letters, codes := b.letters(), map[schema.Code]int{}
	for _, l := range letters {
		codes[l.Error.Code]++
	}
	if diff := cmp.Diff(len(b.api.Calls())-1, len(letters)); diff != "" {
		t.Errorf("failed calls and dead letters (-want +got): %s", diff)
	}
	for code := range codes {
		switch code {
		case schema.CutBody, schema.Timeout, schema.Connection:
		default:
			t.Errorf("%d dead letters for %s", codes[code], code)
		}
	}
}
