package exporttest_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"

	"github.com/google/go-cmp/cmp"
)

// today requests the events of the day in synctest, where time begins at 2000-01-01 00:00 UTC.
func today(ctx context.Context, server *httptest.Server) (*http.Response, error) {
	d := schema.DayOf(time.Now(), time.FixedZone("", 9*3600)).String()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+eventPath, strings.NewReader(ofDay(d)))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer export-token")
	return server.Client().Do(r)
}

// statusOf makes a call and reads its answer to the end.
func statusOf(t *testing.T, server *httptest.Server) int {
	t.Helper()
	answer, err := today(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode
}

func TestCallsInAnHourAreLimited(t *testing.T) {
	tests := []struct {
		name   string
		limits exporttest.Limits
		faults func(exporttest.Call) *exporttest.Fault
		waits  []time.Duration // before each call
		want   []int
	}{
		{
			name: "a moving window", limits: exporttest.Limits{PerHour: 2},
			waits: []time.Duration{0, 40 * time.Minute, 19 * time.Minute, time.Minute, 0, 40 * time.Minute},
			want:  []int{200, 200, 429, 200, 429, 200},
		},
		{
			name: "refused calls count", limits: exporttest.Limits{PerHour: 1, RefusedCount: true},
			waits: []time.Duration{0, 30 * time.Minute, 30 * time.Minute, time.Hour},
			want:  []int{200, 429, 429, 200},
		},
		{
			name: "failed calls count", limits: exporttest.Limits{PerHour: 1},
			faults: func(exporttest.Call) *exporttest.Fault { return &exporttest.Fault{Code: schema.QueryError} },
			waits:  []time.Duration{0, 0}, want: []int{500, 429},
		},
		{
			name: "failed calls are free", limits: exporttest.Limits{PerHour: 1, FailedFree: true},
			faults: func(exporttest.Call) *exporttest.Fault { return &exporttest.Fault{Code: schema.QueryError} },
			waits:  []time.Duration{0, 0}, want: []int{500, 500},
		},
		{
			name: "others use calls up", limits: exporttest.Limits{PerHour: 10, Others: func(now time.Time) int { return 9 + now.Minute()/30 }},
			waits: []time.Duration{0, 30 * time.Minute}, want: []int{200, 429},
		},
		{
			name: "no limit", limits: exporttest.Limits{PerHour: -1},
			waits: make([]time.Duration, 120), want: slicesOf(200, 120),
		},
		{
			name: "the documented limit", waits: make([]time.Duration, 102), want: append(slicesOf(200, 100), 429, 429),
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &exporttest.Server{Limits: test.limits, Faults: test.faults, Data: exporttest.Data{RowsPerDay: 1}}
				server := s.StartMemory()
				defer server.Close()
				var got []int
				for _, wait := range test.waits {
					time.Sleep(wait)
					got = append(got, statusOf(t, server))
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("statuses (-want +got)\n%s", diff)
				}
			})
		})
	}
}

func slicesOf(status, n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = status
	}
	return all
}

func TestCallsAtOnceAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &exporttest.Server{Limits: exporttest.Limits{AtOnce: 2}, Data: exporttest.Data{RowsPerDay: 1}}
		s.Inject(exporttest.Fault{Hang: true}, exporttest.Fault{Then: exporttest.Stall, At: 10})
		server := s.StartMemory()
		defer server.Close()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 2)
		go func() {
			_, err := today(ctx, server)
			done <- err
		}()
		synctest.Wait()
		stalled, err := today(ctx, server)
		if err != nil {
			t.Fatal(err)
		}
		defer stalled.Body.Close()
		if got := statusOf(t, server); got != http.StatusTooManyRequests {
			t.Errorf("third call: %d", got)
		}
		cancel()
		if err := <-done; err == nil {
			t.Error("the hanging call was answered")
		}
		synctest.Wait()
		if got := statusOf(t, server); got != http.StatusOK {
			t.Errorf("after two calls have ended: %d", got)
		}
		if got := s.MostAtOnce(); got != 3 {
			t.Errorf("%d at once, want 3", got)
		}
	})
}

// TestCallIsOverWhenItsEndIsSeen: when a client has read the end of an answer, the call no
// longer counts as concurrent.
func TestCallIsOverWhenItsEndIsSeen(t *testing.T) {
	for name, framing := range map[string]exporttest.Framing{"chunked": {}, "content length": {ContentLength: true}, "gzip": {Gzip: true}} {
		t.Run(name, func(t *testing.T) {
			s := &exporttest.Server{Limits: exporttest.Limits{AtOnce: 1, PerHour: -1}, Framing: framing, Data: exporttest.Data{RowsPerDay: 300}}
			server := start(t, s)
			for range 100 {
				exportOK(t, server, eventPath, ofDay(yesterday))
			}
			if got := s.MostAtOnce(); got != 1 {
				t.Errorf("%d at once, want 1", got)
			}
		})
	}
}

func TestMostInAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &exporttest.Server{Limits: exporttest.Limits{PerHour: 1}, Data: exporttest.Data{RowsPerDay: 1}}
		server := s.StartMemory()
		defer server.Close()
		if got := s.MostInAnHour(); got != 0 {
			t.Errorf("%d without calls", got)
		}
		for _, wait := range []time.Duration{0, 30 * time.Minute, 29 * time.Minute, time.Minute, 2 * time.Hour} {
			time.Sleep(wait)
			statusOf(t, server)
		}
		if got := s.MostInAnHour(); got != 3 { // the fourth call was exactly an hour after the first
			t.Errorf("%d in an hour, want 3", got)
		}
	})
}

func TestRateHeaders(t *testing.T) {
	tests := []struct {
		name   string
		limits exporttest.Limits
		want   map[string]string // of the second call, half an hour after the first
	}{
		{"dashed, in seconds", exporttest.Limits{}, map[string]string{
			"X-Rate-Limit-Limit": "1H", "X-Rate-Limit-Remaining": "98", "X-Rate-Limit-Reset": "946688400"}},
		{"joined, in milliseconds", exporttest.Limits{PerHour: 7, Headers: exporttest.Joined, ResetMillis: true}, map[string]string{
			"X-Ratelimit-Limit": "1H", "X-Ratelimit-Remaining": "5", "X-Ratelimit-Reset": "946688400000"}},
		{"absent", exporttest.Limits{Headers: exporttest.Absent}, map[string]string{}},
		{"no limit", exporttest.Limits{PerHour: -1}, map[string]string{}},
		{"refused", exporttest.Limits{PerHour: 1, RetryAfter: true}, map[string]string{
			"X-Rate-Limit-Limit": "1H", "X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": "946688400", "Retry-After": "1800"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := (&exporttest.Server{Limits: test.limits, Data: exporttest.Data{RowsPerDay: 1}}).StartMemory()
				defer server.Close()
				statusOf(t, server)
				time.Sleep(30 * time.Minute)
				answer, err := today(t.Context(), server)
				if err != nil {
					t.Fatal(err)
				}
				defer answer.Body.Close()
				got := make(map[string]string)
				for name, values := range answer.Header {
					if strings.HasPrefix(name, "X-") || name == "Retry-After" {
						got[name] = strings.Join(values, "|")
					}
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			})
		})
	}
}
