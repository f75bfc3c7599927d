package app_test

import (
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// TestTightQuota: the API allows a third of the configured calls. If its answers say so, in
// any form, there are no more refusals than concurrent calls, else a few an hour.
func TestTightQuota(t *testing.T) {
	tests := map[string]struct {
		limits exporttest.Limits
		ahead  time.Duration // how far the API's clock is ahead
		most   int           // refusals in six hours
	}{
		"in seconds":               {exporttest.Limits{}, 0, 5},
		"in milliseconds":          {exporttest.Limits{ResetMillis: true}, 0, 5},
		"the other spelling":       {exporttest.Limits{Headers: exporttest.Joined}, 0, 5},
		"Retry-After alone":        {exporttest.Limits{Headers: exporttest.Absent, RetryAfter: true}, 0, 12},
		"nothing said":             {exporttest.Limits{Headers: exporttest.Absent}, 0, 42},
		"a clock that is ahead":    {exporttest.Limits{ResetMillis: true}, 50 * time.Minute, 5},
		"a clock that is behind":   {exporttest.Limits{}, -50 * time.Minute, 5},
		"failed calls use up none": {exporttest.Limits{FailedFree: true}, 0, 5},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				test.limits.PerHour = 12
				w := newSimulation(t, &exporttest.Server{
					Data: exporttest.Data{Seed: 3, RowsPerDay: 10}, Limits: test.limits, Clock: func() time.Time { return time.Now().Add(test.ahead) },
				})
				w.config.DFINERY.CallsPerHour = 36
				w.config.Streams[0].PollInterval = 20 * time.Minute
				w.run(6 * time.Hour)
				if n := w.failed(schema.TooManyAPIRequests); n > test.most {
					t.Errorf("%d calls were refused, want at most %d", n, test.most)
				}
				w.compare(w.since(30))
			})
		})
	}
}

// TestRefusedUntilReset: calls are refused for 40 minutes, in each form that the API's
// documentation has or that a gateway may use. No call is made before the end of that time,
// and the first one soon after.
func TestRefusedUntilReset(t *testing.T) {
	unix := func(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }
	millis := func(at time.Time) string { return strconv.FormatInt(at.UnixMilli(), 10) }
	tests := map[string]struct {
		header  func(now, reset time.Time) http.Header
		dateOff time.Duration
		most    int // refused calls
	}{
		"seconds":      {func(_, reset time.Time) http.Header { return http.Header{"X-Rate-Limit-Reset": {unix(reset)}} }, 0, 3},
		"milliseconds": {func(_, reset time.Time) http.Header { return http.Header{"X-Rate-Limit-Reset": {millis(reset)}} }, 0, 3},
		"the other spelling": {func(_, reset time.Time) http.Header {
			return http.Header{"x-ratelimit-reset": {unix(reset)}, "x-ratelimit-remaining": {"0"}}
		}, 0, 3},
		"seconds from now": {func(now, reset time.Time) http.Header {
			return http.Header{"X-Rate-Limit-Reset": {strconv.Itoa(int(reset.Sub(now)/time.Second) + 1)}}
		}, 0, 3},
		"Retry-After in seconds": {func(now, reset time.Time) http.Header {
			return http.Header{"Retry-After": {strconv.Itoa(int(reset.Sub(now)/time.Second) + 1)}}
		}, 0, 3},
		"Retry-After as a date": {func(_, reset time.Time) http.Header {
			return http.Header{"Retry-After": {reset.Add(time.Second).UTC().Format(http.TimeFormat)}}
		}, 0, 3},
		"a clock three hours ahead": {func(_, reset time.Time) http.Header {
			return http.Header{"X-Rate-Limit-Reset": {unix(reset.Add(3 * time.Hour))}}
		}, 3 * time.Hour, 3},
		"a clock three hours behind": {func(_, reset time.Time) http.Header {
			return http.Header{"X-Rate-Limit-Reset": {unix(reset.Add(-3 * time.Hour))}}
		}, -3 * time.Hour, 3},
		"no word": {func(_, _ time.Time) http.Header { return nil }, 0, 11},
		"nonsense": {func(_, _ time.Time) http.Header {
			return http.Header{"X-Rate-Limit-Reset": {"soon"}, "Retry-After": {"-1"}}
		}, 0, 11},
		"a reset of last year": {func(now, _ time.Time) http.Header {
			return http.Header{"X-Rate-Limit-Reset": {unix(now.Add(-365 * 24 * time.Hour))}}
		}, 0, 11},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newSimulation(t, &exporttest.Server{Data: exporttest.Data{Seed: 3, RowsPerDay: 10}, Limits: exporttest.Limits{PerHour: -1}})
				w.config.Streams[0].Start.Back = 5
				w.config.Streams[0].PollInterval = 5 * time.Minute
				from := time.Now().Add(12 * time.Minute)
				reset := from.Add(40 * time.Minute)
				w.api.Faults = func(c exporttest.Call) *exporttest.Fault {
					if c.At.Before(from) || !c.At.Before(reset) {
						return nil
					}
					return &exporttest.Fault{Code: schema.TooManyAPIRequests, Header: test.header(c.At, reset), DateOff: test.dateOff}
				}
				w.run(3 * time.Hour)
				if n := w.failed(schema.TooManyAPIRequests); n > test.most || n == 0 {
					t.Errorf("%d calls were refused, want at most %d", n, test.most)
				}
				for _, c := range w.api.Calls() {
					if late := c.At.Sub(reset); late >= 0 {
						if most := time.Duration(test.most) * 5 * time.Minute; late > most {
							t.Errorf("the first call after the reset came after %s, want %s", late, most)
						}
						break
					}
				}
				if n := w.letters()[schema.TooManyAPIRequests]; n != w.failed(schema.TooManyAPIRequests) {
					t.Errorf("%d dead letters", n)
				}
				w.compare(w.since(5))
			})
		})
	}
}
