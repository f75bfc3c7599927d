package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"testing"
	"time"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// TestWaitsAreShown: status, on any machine, says what a failing service waits for and until when.
func TestWaitsAreShown(t *testing.T) {
	t.Parallel()
	in := func(d time.Duration) string { return fmt.Sprint(time.Now().Add(d).Unix()) }
	type set map[string]string
	tests := map[string]struct {
		fault   exporttest.Fault
		waits   string
		until   time.Duration // from now on, give or take half
		says    []string
		environ set
	}{
		"breaker": {exporttest.Fault{Code: schema.UnknownError}, "breaker", 10 * time.Minute,
			[]string{"breaker open until ", "(2 × unknown_error in a row)", "unknown_error: the API answered 500"}, nil},
		"breaker, longer than the day's backoff": {exporttest.Fault{Code: schema.UnknownError}, "breaker", 10 * time.Minute,
			[]string{"breaker open until ", "(1 × unknown_error in a row)"}, set{"BREAKER_FAILURES": "1", "RETRY_BACKOFF": "2m", "RETRY_MAX_BACKOFF": "2m"}},
		"quota by the reset": {exporttest.Fault{Code: schema.TooManyAPIRequests, Header: http.Header{"X-Rate-Limit-Reset": {in(20 * time.Minute)}}},
			"quota", 20 * time.Minute, []string{"calls left this hour: 0 of 1000000 ("}, nil},
		"quota by Retry-After": {exporttest.Fault{Code: schema.TooManyAPIRequests, Header: http.Header{"Retry-After": {"1200"}}},
			"quota", 20 * time.Minute, []string{"calls left this hour: 0 of "}, nil},
		"token":        {exporttest.Fault{Code: schema.UnauthorizedToken}, "token", 10 * time.Minute, []string{"unauthorized_token: the API answered 401"}, nil},
		"halted":       {exporttest.Fault{Code: schema.InvalidParameter}, "halted", time.Hour, []string{"halted: export events ", "check DFINERY_SERVICE_ID and the stream's filters"}, nil},
		"link":         {exporttest.Fault{Page: "<html>", Status: 502, Header: http.Header{"Retry-After": {"600"}}}, "backoff", 10 * time.Minute, []string{"not_csv: the answer was 502 Bad Gateway"}, nil},
		"today is not": {exporttest.Fault{Code: schema.ExceedDateRangeLimit}, "backoff", 10 * time.Minute, []string{"exceed_date_range_limit: the API answered 400"}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{RowsPerDay: 10},
				Faults: func(exporttest.Call) *exporttest.Fault { return &test.fault }})
			b.unbounded()
			for variable, value := range map[string]string{
				"STREAM_EVENTS_START": "0", "BREAKER_FAILURES": "2", "BREAKER_OPEN_FOR": "10m", "RETRY_BACKOFF": "10ms", "RETRY_MAX_BACKOFF": "20ms",
				"OWNER_HEARTBEAT": "5m", "STANDBY_AFTER": "10m", // no heartbeat brings it into the ledger by the way
			} {
				b.environ[variable] = value
			}
			maps.Copy(b.environ, test.environ)
			p := b.start(binary, nil, "run")
			p.await(`"msg":"export ended"`)
			var status struct {
				Streams []struct {
					Next struct {
						At       time.Time
						WaitsFor string `json:"waits_for"`
					}
				}
			}
			b.eventually(func() bool {
				out, _ := b.run("status", "--json")
				if err := json.Unmarshal([]byte(out), &status); err != nil {
					t.Fatal(err)
				}
				return status.Streams[0].Next.WaitsFor == test.waits && time.Until(status.Streams[0].Next.At) > test.until/2
			})
			next := status.Streams[0].Next
			if left := time.Until(next.At); next.WaitsFor != test.waits || left < test.until/2 || left > test.until*3/2 {
				t.Errorf("waits for %s for %s, want %s for %s\n%s", next.WaitsFor, left, test.waits, test.until, p.text())
			}
			out, _ := b.run("status")
			expect(t, out, append(test.says, "waits for "+test.waits+" until "+next.At.UTC().Format(time.RFC3339))...)
		})
	}
}

// eventually asks again for as long as ten seconds.
func (b *bench) eventually(holds func() bool) {
	b.t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); {
		if time.Now().After(deadline) {
			return
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-b.t.Context().Done():
			return
		}
	}
}
