package limiter

import (
	"strconv"
	"strings"
	"time"
)

// RateLimit is what the headers of an answer say about the quota.
type RateLimit struct {
	Remaining int       // calls left until Reset
	Reset     time.Time // zero when the answer does not say
	Known     bool      // the answer has Remaining
}

// ParseRateLimit parses X-Rate-Limit-Remaining and -Reset, with and without the inner dash, in
// any letter case. Reset is a Unix time in seconds or milliseconds (the API's guide shows
// both); a smaller number is in seconds from date, or from now if date is zero.
func ParseRateLimit(headers map[string]string, date time.Time) RateLimit {
	var limit RateLimit
	for name, value := range headers {
		value = strings.TrimSpace(value)
		switch strings.TrimPrefix(strings.ReplaceAll(strings.ToLower(name), "-", ""), "x") {
		case "ratelimitremaining":
			if n, err := strconv.Atoi(value); err == nil && n >= 0 {
				limit.Remaining, limit.Known = n, true
			}
		case "ratelimitreset":
			if n, err := strconv.ParseInt(value, 10, 64); err == nil && n > 0 {
				limit.Reset = resetTime(n, date)
			}
		}
	}
	return limit
}

func resetTime(n int64, date time.Time) time.Time {
	const (
		leastUnix   = 1e8  // 1973: anything smaller is a count of seconds
		leastMillis = 1e11 // as seconds, the year 5138
		mostMillis  = 1e14
	)
	switch {
	case n >= mostMillis:
		return time.Time{}
	case n >= leastMillis:
		return time.UnixMilli(n)
	case n >= leastUnix:
		return time.Unix(n, 0)
	case date.IsZero():
		date = time.Now()
	}
	return date.Add(time.Duration(n) * time.Second)
}
