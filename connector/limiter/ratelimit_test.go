package limiter_test

import (
	"dfinery-kafka/connector/limiter"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRateLimit(t *testing.T) {
	date := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name    string
		headers map[string]string
		want    limiter.RateLimit
	}{
		{"none", map[string]string{"date": "x"}, limiter.RateLimit{}},
		{"seconds", map[string]string{"X-Rate-Limit-Remaining": "7", "X-Rate-Limit-Reset": "1719397769"}, limiter.RateLimit{Remaining: 7, Reset: time.Unix(1719397769, 0), Known: true}},
		{"milliseconds", map[string]string{"x-ratelimit-remaining": " 8 ", "x-ratelimit-reset": "1682640000000"}, limiter.RateLimit{Remaining: 8, Reset: time.Unix(1682640000, 0), Known: true}},
		{"from now", map[string]string{"X-RATELIMIT-RESET": "90"}, limiter.RateLimit{Reset: date.Add(90 * time.Second)}},
		{"nonsense", map[string]string{"x-ratelimit-reset": "soon", "x-ratelimit-remaining": "-1"}, limiter.RateLimit{}},
		{"too far", map[string]string{"x-ratelimit-reset": "9223372036854775807"}, limiter.RateLimit{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, limiter.ParseRateLimit(c.headers, date)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
