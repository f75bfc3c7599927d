package exportapi

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// retryAfter reads RFC 9110 section 10.2.3: seconds, or a date, which is set against the answer's own.
func retryAfter(value string, date time.Time) time.Duration {
	const most = 365 * 24 * time.Hour
	value = strings.TrimSpace(value)
	if seconds, err := strconv.ParseUint(value, 10, 64); err == nil {
		return time.Duration(min(seconds, uint64(most/time.Second))) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	if date.IsZero() {
		date = time.Now()
	}
	return min(max(0, at.Sub(date)), most)
}
