package pipeline

import (
	"slices"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// Status is what the service's loop last knew: the pipeline's part of the admin server's /status.
type Status struct {
	Service   string
	Role      string // one of the roles below
	Reasons   []string
	Owner     *ledger.Owner // of a stand-by: who it waits for
	Turned    time.Time     // when the loop last turned
	Restoring bool          // Kafka is reached; the service is being taken over and its ledger restored
	Streams   []StreamStatus
	Remaining map[string]time.Duration // by stream: until its oldest unexported day is lost; absent without one
	Commands  []ledger.Command         // of an owner: those that are not done, oldest first
}

// The roles.
const (
	RoleStarting = "starting"
	RoleOwner    = "owner"
	RoleStandby  = "standby"
	RoleWaiting  = "waiting"
)

// Ready tells whether the service does its work.
func (s *Status) Ready() bool { return s.Role == RoleOwner && len(s.Reasons) == 0 }

// StreamStatus is one stream's part.
type StreamStatus struct {
	Name        string      `json:"name"`
	Topic       string      `json:"topic"`
	Paused      bool        `json:"paused"`
	Halted      *string     `json:"halted"`
	LastSuccess *time.Time  `json:"last_success"`
	Next        *NextStatus `json:"next"`
	Published   int64       `json:"published"`
	Duplicates  int64       `json:"duplicates"`
	DeadLetters int64       `json:"dead_letters"`
	Days        []DayStatus `json:"days"`
	First       schema.Day  `json:"-"` // the oldest that is exported now
	Untried     int         `json:"-"` // days that may be exported and never were, nor tried: Days has none of them
}

// NextStatus is the stream's next export.
type NextStatus struct {
	Day      schema.Day    `json:"day"`
	At       *time.Time    `json:"at"` // nil: not known
	WaitsFor schema.Reason `json:"waits_for"`
}

// DayStatus is one day, as the ledger has it and with what an export under way has done.
type DayStatus struct {
	Day       schema.Day      `json:"day"`
	State     ledger.DayState `json:"state"`
	Exports   int             `json:"exports"`
	Rows      int             `json:"rows"`
	Published int             `json:"published"`
	Missing   int             `json:"missing"`
	Bad       int             `json:"bad"`
	Error     *string         `json:"error"`
	Running   bool            `json:"running,omitempty"`
	// LastExport and LastSuccess are when the last call and the last successful one began; nil without any.
	LastExport  *time.Time `json:"last_export,omitempty"`
	LastSuccess *time.Time `json:"last_success,omitempty"`

	Lacks []string `json:"missing_events,omitempty"`
}

// Status is the last status; it may be a moment old.
func (s *Service) Status() Status {
	if st := s.status.Load(); st != nil {
		return *st
	}
	return Status{Service: s.ID, Role: RoleStarting, Reasons: []string{"starting"}}
}

func (s *Service) setWaiting(err error) {
	last := s.Status()
	now := time.Now()
	s.status.Store(&Status{Service: s.ID, Role: RoleWaiting, Reasons: []string{err.Error()}, Turned: now, Streams: last.Streams, Remaining: last.RemainingAt(now)})
}

// setRestoring says that Kafka is reached. A stand-by stays one until it is the owner.
func (s *Service) setRestoring() {
	last := s.Status()
	if last.Role == RoleStandby {
		return
	}
	now := time.Now()
	s.status.Store(&Status{Service: s.ID, Role: RoleStarting, Reasons: []string{"taking the service over and restoring its ledger"}, Turned: now,
		Restoring: true, Streams: last.Streams, Remaining: last.RemainingAt(now)})
}

// RemainingAt is Remaining as of a later time than Turned; negative for a day that is lost by then.
func (s *Status) RemainingAt(now time.Time) map[string]time.Duration {
	remaining := make(map[string]time.Duration, len(s.Remaining))
	for stream, left := range s.Remaining {
		remaining[stream] = left - now.Sub(s.Turned)
	}
	return remaining
}

func (s *Service) setStandby(owner *ledger.Owner) {
	reason := "stand-by: another instance owns the service"
	if owner != nil {
		reason = "stand-by: " + owner.Instance + " owns the service"
	}
	s.status.Store(&Status{Service: s.ID, Role: RoleStandby, Reasons: []string{reason}, Owner: owner, Turned: time.Now(), Streams: s.Status().Streams})
}

// publishStatus shows what the loop knows now.
func (t *tenure) publishStatus() {
	now := time.Now()
	st := &Status{Service: t.service.ID, Role: RoleOwner, Turned: now, Remaining: map[string]time.Duration{}}
	for at, err := range t.session.Waiting() {
		st.Reasons = append(st.Reasons, "Kafka: "+at.String()+" does not take records: "+err.Error())
	}
	slices.Sort(st.Reasons)
	for _, c := range t.commands {
		if c.Done == nil {
			st.Commands = append(st.Commands, *c)
		}
	}
	slices.SortFunc(st.Commands, func(a, b ledger.Command) int { return a.Given.Compare(b.Given) })
	list := plan(t.streams, now, t.service.Location)
	counts := t.service.Totals()
	for _, s := range t.streams {
		st.Streams = append(st.Streams, t.streamStatus(s, list, counts[s.Name], now))
		if left, pending := t.remaining(s, now); pending {
			st.Remaining[s.Name] = left
		}
	}
	t.service.status.Store(st)
}

func (t *tenure) streamStatus(s *stream, list []due, counts StreamCounts, now time.Time) StreamStatus {
	status := StreamStatus{Name: s.Name, Topic: s.Topic, Paused: s.kept.Paused, Published: counts.Published, Duplicates: counts.Duplicates, Days: []DayStatus{}}
	for _, n := range counts.Letters {
		status.DeadLetters += n
	}
	if h := s.kept.Halted; h != nil && h.Until.After(now) {
		status.Halted = &h.Detail
	} else if s.blocked != "" {
		status.Halted = &s.blocked
	}
	if i := slices.IndexFunc(list, func(d due) bool { return d.stream == s }); i >= 0 {
		status.Next = t.nextStatus(&list[i], now)
	}
	today := schema.DayOf(now, t.service.Location)
	for day, d := range s.days {
		r := d.record
		if day < today-missed || s.Kind == schema.UserProfile && day < today && r.State == ledger.Pending {
			continue // too old, or a snapshot that was never had and is none of today's
		}
		one := DayStatus{Day: day, State: r.State, Exports: r.Exports, Rows: r.Rows, Published: r.Published, Missing: r.Missing, Bad: r.Bad,
			Running: d.export != nil, Lacks: r.MissingEvents,
			LastExport: r.LastExport, LastSuccess: r.LastSuccess}
		if r.Error != nil {
			text := string(r.Error.Code) + ": " + r.Error.Detail
			one.Error = &text
		}
		if r.LastSuccess != nil && (status.LastSuccess == nil || r.LastSuccess.After(*status.LastSuccess)) {
			status.LastSuccess = r.LastSuccess
		}
		if e := d.export; e != nil {
			live := e.live.Load()
			one.Published += max(0, live.Published-e.saved.Published)
		}
		status.Days = append(status.Days, one)
	}
	status.First = s.first(today)
	for day := status.First; day <= today; day++ {
		if s.days[day] == nil {
			status.Untried++
		}
	}
	slices.SortFunc(status.Days, func(a, b DayStatus) int { return int(b.Day - a.Day) })
	return status
}

func (t *tenure) nextStatus(d *due, now time.Time) *NextStatus {
	wait := d.starts(t.waits, now)
	next := &NextStatus{Day: d.day, WaitsFor: wait.For}
	if !wait.Until.IsZero() {
		at := wait.Until.UTC()
		next.At = &at
	}
	return next
}

// remaining is how long until the oldest day that was never exported leaves the reach.
func (t *tenure) remaining(s *stream, now time.Time) (time.Duration, bool) {
	if s.Kind != schema.Event {
		return 0, false
	}
	today := schema.DayOf(now, t.service.Location)
	for day := s.first(today); day < today; day++ {
		if d := s.days[day]; d == nil || d.record.State == ledger.Pending {
			return (day + schema.Reach + 1).Start(t.service.Location).Sub(now), true
		}
	}
	return 0, false
}
