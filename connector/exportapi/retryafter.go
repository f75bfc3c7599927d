package exportapi

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// retryAfter parses Retry-After (RFC 9110 section 10.2.3): seconds, or a date, which is
// compared with the answer's own date.
func retryAfter(value string, date time.Time) time.Duration {
	const limit = 365 * 24 * time.Hour
	value = strings.TrimSpace(value)
	if seconds, err := strconv.ParseUint(value, 10, 64); err == nil {
		return time.Duration(min(seconds, uint64(limit/time.Second))) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	if date.IsZero() {
		date = time.Now()
	}
	return min(max(0, at.Sub(date)), limit)
}
