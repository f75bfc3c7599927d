package pipeline

import (
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

// wrote counts a dead letter. It may be called by several goroutines at once.
func (s *Service) wrote(l *schema.DeadLetter) {
	s.recent.add(l)
	if l.Kind == schema.KindRow {
		s.counts.deadLetter(l.Stream, l.Kind, l.Error.Code)
	}
}

// RecentLetters returns the last dead letters written since the process started, newest first.
func (s *Service) RecentLetters() []RecentLetter {
	s.recent.mu.Lock()
	defer s.recent.mu.Unlock()
	list := make([]RecentLetter, 0, len(s.recent.ring))
	for i := len(s.recent.ring) - 1; i >= 0; i-- {
		list = append(list, s.recent.ring[i])
	}
	return list
}
