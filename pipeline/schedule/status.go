package schedule

import (
	"slices"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// StreamStatus is the status of a stream. Its counts are those of the owner's process;
// Published of a day includes calls in progress only if the owner adds them.
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
	// IncompleteSince is the end of the oldest day that is over and may lack rows from
	// before its end; nil if there is none, and for snapshots.
	IncompleteSince *time.Time `json:"incomplete_since,omitempty"`
	// Profiles is nil except for streams that publish changes.
	Profiles *ProfileStatus `json:"profiles,omitempty"`
	First    schema.Day     `json:"-"` // the oldest day that is exported now
	Snapshot bool           `json:"-"` // a stream of profiles
	CutDays  []DayStatus    `json:"-"` // finished days that are exported again because their last answer was cut, newest first
	Untried  int            `json:"-"` // days to be exported that were never tried; they are not in Days
	Columns  int            `json:"-"` // those of the last export's header
	// WaitsForRegistry: no day can be exported because the schema registry does not
	// answer.
	WaitsForRegistry bool `json:"-"`
}

// ProfileStatus is the status of a stream that publishes changes of profiles.
type ProfileStatus struct {
	Present  int    `json:"present"`  // in the last snapshot and in the topic
	Absent   int    `json:"absent"`   // only in the topic
	Withheld int    `json:"withheld"` // absent, but not deleted yet
	Why      string `json:"why"`      // why the last snapshot does not prove who is absent; empty if it does
	// LastComplete is when a snapshot last proved who is absent; nil: never.
	LastComplete *time.Time `json:"last_complete"`
	Partitions   int        `json:"partitions"` // over which keys are distributed
	Scanned      int        `json:"scanned"`    // records of the topic that the last export read
	// Unused is the number of partitions that were added to the topic and are not used.
	Unused   int              `json:"unused_partitions,omitempty"`
	Approved *ledger.Approval `json:"approved,omitempty"`

	Poll   time.Duration `json:"-"`
	Sample []string      `json:"-"` // hashes of absent keys
	Seed   uint64        `json:"-"` // of these
}

// NextStatus describes the stream's next export.
type NextStatus struct {
	Day      schema.Day    `json:"day"`
	At       *time.Time    `json:"at"` // nil: not known
	WaitsFor schema.Reason `json:"waits_for"`
}

// DayStatus is the status of one day.
type DayStatus struct {
	Day       schema.Day      `json:"day"`
	State     ledger.DayState `json:"state"`
	Exports   int             `json:"exports"`
	Rows      int             `json:"rows"`
	Published int             `json:"published"`
	Missing   int             `json:"missing"`
	Bad       int             `json:"bad"`
	Error     *string         `json:"error"`
	// Running: a call is in progress, or a day that was exported is to be published again,
	// even while its stream is paused or the day waits.
	Running bool `json:"running,omitempty"`
	// LastExport and LastSuccess are the start times of the last call and of the last
	// successful one; nil without any.
	LastExport  *time.Time `json:"last_export,omitempty"`
	LastSuccess *time.Time `json:"last_success,omitempty"`

	MissingEvents []string   `json:"missing_events,omitempty"`
	Cut           schema.Cut `json:"cut,omitempty"` // how the last answer was cut
	Narrowed      bool       `json:"-"`             // exported in slices, or with missing events
}

// Shown returns a day's state for display: that of its record unless events are missing
// or the last export failed. A nil day was never exported.
func (d *DayStatus) Shown() string {
	switch {
	case d == nil:
		return string(ledger.Pending)
	case d.State == ledger.Gap:
	case len(d.MissingEvents) > 0:
		return "narrowed"
	case d.Error != nil:
		return "failing"
	}
	return string(d.State)
}

// Status returns the status of the streams. all is what all of them wait for.
func (s *State) Status(all schema.Wait, now time.Time) []StreamStatus {
	list := s.plan(now)
	var status []StreamStatus
	for _, st := range s.streams {
		one := st.status(now)
		if i := slices.IndexFunc(list, func(d Due) bool { return d.stream == st }); i >= 0 {
			one.Next = list[i].status(all, now)
		}
		status = append(status, one)
	}
	return status
}

func (s *Stream) status(now time.Time) StreamStatus {
	today, loc := s.policy.today(now), s.policy.Location
	status := StreamStatus{Name: s.Name, Topic: s.Topic, Paused: s.paused, Halted: s.shown(now), Days: []DayStatus{}, First: s.first(today),
		Snapshot: s.Kind.Snapshot(), Columns: len(s.columns.last)}
	if since := s.incompleteSince(today, loc); !since.IsZero() {
		status.IncompleteSince = &since
	}
	for at, d := range s.days {
		r := &d.record
		if at < today-missed || s.Kind.Snapshot() && at < today && r.State == ledger.Pending {
			continue // too old, or a snapshot of an earlier day that was never exported
		}
		one := d.status()
		if state, again := s.stateBeforeRepublishing(at, r, now, loc); again {
			one.State, one.Running = state, true
		}
		status.Days = append(status.Days, one)
		status.WaitsForRegistry = status.WaitsForRegistry || r.Error != nil && r.Error.Code == schema.RegistryUnavailable
		if r.LastSuccess != nil && (status.LastSuccess == nil || r.LastSuccess.After(*status.LastSuccess)) {
			status.LastSuccess = r.LastSuccess
		}
	}
	for at := status.First; at <= today; at++ {
		if s.days[at] == nil {
			status.Untried++
		}
	}
	slices.SortFunc(status.Days, func(a, b DayStatus) int { return int(b.Day - a.Day) })
	for _, d := range status.Days {
		if d.Cut != "" && d.Day < today && (d.State == ledger.Pending || d.State == ledger.Open) {
			status.CutDays = append(status.CutDays, d)
		}
	}
	return status
}

func (d *Day) status() DayStatus {
	r := &d.record
	one := DayStatus{Day: d.name.Day, State: r.State, Exports: r.Exports, Rows: r.Rows, Published: r.Published, Missing: r.Missing, Bad: r.Bad, Running: d.running,
		MissingEvents: r.MissingEvents, Cut: d.cut.Cut, Narrowed: len(r.Slices) > 0 || len(r.MissingEvents) > 0, LastExport: r.LastExport, LastSuccess: r.LastSuccess}
	if r.Error != nil {
		text := string(r.Error.Code) + ": " + r.Error.Detail
		one.Error = &text
	}
	return one
}

// stateBeforeRepublishing returns the state that a day had before it was set to be
// published again, by a command, a changed identity or a changed mode: until its next
// success the ledger has it as pending, although its rows are in the topic.
func (s *StreamConfig) stateBeforeRepublishing(at schema.Day, r *ledger.Day, now time.Time, loc *time.Location) (ledger.DayState, bool) {
	if !awaitsRepublishing(r) {
		return "", false
	}
	if now.Before(s.settles(at, loc)) {
		return ledger.Open, true
	}
	return ledger.Settled, true
}

// awaitsRepublishing reports whether a day that was exported is pending because it is to
// be published again.
func awaitsRepublishing(r *ledger.Day) bool {
	return r.State == ledger.Pending && r.AgainBy != "" && r.LastSuccess != nil
}

// incompleteSince returns the end of the oldest day that is over and was not exported
// successfully after its end; zero if there is none. Gaps and settled days do not
// count, as no export changes them.
func (c *calendar) incompleteSince(today schema.Day, loc *time.Location) time.Time {
	if c.Kind.Snapshot() {
		return time.Time{}
	}
	for at := c.first(today); at < today; at++ {
		end := at.End(loc)
		if d := c.days[at]; d == nil || !complete(&d.record, end) {
			return end.UTC()
		}
	}
	return time.Time{}
}

func complete(r *ledger.Day, end time.Time) bool {
	over := r.State == ledger.Settled || r.State == ledger.Gap || awaitsRepublishing(r)
	return over || r.LastSuccess != nil && !r.LastSuccess.Before(end) && len(r.MissingEvents) == 0 && len(r.Slices) == 0
}

func (d *Due) status(all schema.Wait, now time.Time) *NextStatus {
	wait := d.starts(all, now)
	next := &NextStatus{Day: d.Day, WaitsFor: wait.For}
	if !wait.Until.IsZero() {
		at := wait.Until.UTC()
		next.At = &at
	}
	return next
}
