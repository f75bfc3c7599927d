package pipeline

import (
	"slices"
	"sync"
	"time"

	"dfinery-kafka/schema"
)

// RecentLetter summarizes one dead letter, without any copy of a row or a body.
type RecentLetter struct {
	At     time.Time
	Stream string
	Day    schema.Day
	Kind   string // schema.KindExport or schema.KindRow
	Code   schema.Code
	Detail string
}

// maxRecentLetters is how many dead letters are kept in memory for display.
const maxRecentLetters = 50

// recentLetters holds the last dead letters written since the process started.
type recentLetters struct {
	mu   sync.Mutex
	ring []RecentLetter // oldest first, at most maxRecentLetters
}

func (r *recentLetters) add(l *schema.DeadLetter) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.ring) == maxRecentLetters {
		copy(r.ring, r.ring[1:])
		r.ring = r.ring[:maxRecentLetters-1]
	}
	r.ring = append(r.ring, RecentLetter{At: l.FailedAt, Stream: l.Stream, Day: l.Day, Kind: l.Kind, Code: l.Error.Code, Detail: l.Error.Detail})
}

// list are the letters, newest first.
func (r *recentLetters) list() []RecentLetter {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := slices.Clone(r.ring)
	slices.Reverse(list)
	return list
}
