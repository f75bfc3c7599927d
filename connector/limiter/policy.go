package limiter

import (
	"cmp"
	"log/slog"
	"time"

	"dfinery-kafka/schema"
)

// Policy is the configuration of a Limiter. The zero value of each field is its documented default.
type Policy struct {
	CallsPerHour    int // of the service, in a moving hour; 0: 100
	ConcurrentCalls int // 0: 5

	// Failures is how many consecutive counted failures open the breaker; 0: 5.
	Failures int
	// OpenFor is the time to the first probe, doubled by each failed probe up to MaxOpenFor; 0:
	// 1 and 15 minutes.
	OpenFor, MaxOpenFor time.Duration
	// TripOn lists the codes that count; empty: schema.CountedByDefault.
	TripOn []schema.Code

	// RetryBackoff is the first pause while the connection to the API fails, doubled up to
	// RetryMaxBackoff; 0: 1 second and 10 minutes.
	RetryBackoff, RetryMaxBackoff time.Duration

	// Token is watched while the API refuses the token; nil when the token can't change.
	Token TokenSource
	// Log gets one line for each change of state; nil: none.
	Log *slog.Logger
}

func (p Policy) withDefaults() Policy {
	p.CallsPerHour = cmp.Or(p.CallsPerHour, 100)
	p.ConcurrentCalls = cmp.Or(p.ConcurrentCalls, 5)
	p.Failures = cmp.Or(p.Failures, 5)
	p.OpenFor = cmp.Or(p.OpenFor, time.Minute)
	p.MaxOpenFor = cmp.Or(p.MaxOpenFor, 15*time.Minute)
	p.RetryBackoff = cmp.Or(p.RetryBackoff, time.Second)
	p.RetryMaxBackoff = cmp.Or(p.RetryMaxBackoff, 10*time.Minute)
	if len(p.TripOn) == 0 {
		p.TripOn = schema.CountedByDefault()
	}
	if p.Log == nil {
		p.Log = slog.New(slog.DiscardHandler)
	}
	return p
}
