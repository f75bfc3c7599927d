package connector

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"dfinery-kafka/schema"
)

const memoryVersion = 1

// memory is a Source between two processes. Times are absolute: a restart takes no time away and adds none.
type memory struct {
	Version  int             `json:"version"`
	Calls    []int64         `json:"calls,omitempty"`    // Unix milliseconds, ascending
	Reserved []int64         `json:"reserved,omitempty"` // those of Calls that were not made yet
	Others   *othersMemory   `json:"others,omitempty"`
	Throttle *setbackMemory  `json:"throttle,omitempty"`
	Link     *setbackMemory  `json:"link,omitempty"`
	Breaker  *breakerMemory  `json:"breaker,omitempty"`
	Habit    *LineEndLearner `json:"habit,omitempty"`
}

type othersMemory struct {
	Calls int       `json:"calls"`
	Until time.Time `json:"until"`
}

type setbackMemory struct {
	Failures int         `json:"failures"`
	Until    time.Time   `json:"until"`
	Code     schema.Code `json:"code,omitempty"`
}

type breakerMemory struct {
	Streak []schema.Code `json:"streak,omitempty"`
	Probes int           `json:"probes,omitempty"`
	Period time.Duration `json:"period_ns,omitempty"` // 0: closed
	Due    time.Time     `json:"due,omitzero"`
}

// State is the source's memory, for NewSource after a restart: the calls of the last hour, the breaker, pauses, and how the API ends its bodies. It holds no secret.
func (s *Source) State() json.RawMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.quota.forget(now)
	m := memory{Version: memoryVersion, Throttle: s.throttle.save(""), Link: s.link.save(s.link.cause), Breaker: s.breaker.save(), Habit: s.lineEnds}
	for _, c := range s.quota.calls {
		m.Calls = append(m.Calls, c.at.UnixMilli())
		if c.reserved {
			m.Reserved = append(m.Reserved, c.at.UnixMilli())
		}
	}
	if o := s.quota.others; o.calls > 0 {
		m.Others = &othersMemory{o.calls, o.until.UTC()}
	}
	state, err := json.Marshal(m)
	if err != nil {
		panic(fmt.Sprintf("marshal the source's state: %v", err)) // plain data can't fail
	}
	return state
}

// restore takes a memory. A clock that was, or is, wrong makes no pause longer than the policy allows.
func (s *Source) restore(state json.RawMessage, now time.Time) error {
	if len(state) == 0 {
		return nil
	}
	m, err := readMemory(state, s.lineEnds)
	if err != nil {
		return fmt.Errorf("read the source's state: %w", err)
	}
	for _, ms := range m.Calls {
		// A call of the future was made before now, when the clock was ahead.
		at := sooner(time.UnixMilli(ms), now)
		// One that was reserved may have been made at any time since: Kafka may have been slow to take this state, or the fingerprints.
		if i := slices.Index(m.Reserved, ms); i >= 0 {
			m.Reserved = slices.Delete(m.Reserved, i, i+1)
			at = now
		}
		s.quota.calls = append(s.quota.calls, counted{at: at})
	}
	slices.SortFunc(s.quota.calls, func(a, b counted) int { return a.at.Compare(b.at) })
	if m.Others != nil {
		s.quota.others = others{calls: max(0, m.Others.Calls), until: sooner(m.Others.Until, now.Add(window+margin))}
	}
	s.throttle.load(m.Throttle, now.Add(window+margin))
	s.link.load(m.Link, now.Add(max(s.link.most, window)))
	if m.Link != nil {
		s.link.cause = m.Link.Code
	}
	s.breaker.load(m.Breaker, now)
	return nil
}

// readMemory looks at the version first: another one may give other types to the same names.
func readMemory(state json.RawMessage, lineEnds *LineEndLearner) (m memory, err error) {
	var only struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(state, &only); err != nil {
		return m, err
	}
	if only.Version != memoryVersion {
		return m, fmt.Errorf("version %d, this release knows only version %d", only.Version, memoryVersion)
	}
	m.Habit = lineEnds // which takes what the state has for it
	return m, json.Unmarshal(state, &m)
}

func sooner(a, b time.Time) time.Time {
	if a.After(b) {
		return b
	}
	return a
}

func (s *setback) save(code schema.Code) *setbackMemory {
	if s.failures == 0 {
		return nil
	}
	return &setbackMemory{s.failures, s.until.UTC(), code}
}

func (s *setback) load(m *setbackMemory, latest time.Time) {
	if m == nil {
		return
	}
	s.failures, s.until = max(0, m.Failures), sooner(m.Until, latest)
}

func (b *breaker) save() *breakerMemory {
	if len(b.streak) == 0 && b.period == 0 {
		return nil
	}
	return &breakerMemory{Streak: b.streak, Probes: b.probes, Period: b.period, Due: b.due.UTC()}
}

// load replays a closed breaker's failures, or opens it for what remains. A probe that was under way has no answer: the next call is one.
func (b *breaker) load(m *breakerMemory, now time.Time) {
	if m == nil {
		return
	}
	if m.Period > 0 {
		b.streak, b.probes = m.Streak, max(0, m.Probes)
		b.period = min(m.Period, b.maxOpenFor)
		b.reopen(min(m.Due.Sub(now), b.maxOpenFor))
		return
	}
	// With fewer failures allowed than before, the next one opens it.
	b.streak = m.Streak[max(0, len(m.Streak)-b.failures+1):]
	for range b.streak {
		if done, err := b.cb.Allow(); err == nil {
			done(errCounted)
		}
	}
}
