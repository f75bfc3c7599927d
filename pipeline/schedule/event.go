package schedule

import (
	"time"

	"dfinery-kafka/schema"
)

// EventKind is the kind of an event.
type EventKind string

// The kinds of events.
const (
	DaySettled         EventKind = "day_settled"          // the day is final: its fingerprints can be written as one run
	DayLost            EventKind = "day_lost"             // the day left the reach and was never exported
	DayLeftUnsettled   EventKind = "day_left_unsettled"   // the day left the reach (or START: BeforeStart) after its first export and before it was settled
	DayCut             EventKind = "day_cut"              // the answer for a finished day is cut for the first time: Cut, Code and Detail
	DayLeftCut         EventKind = "day_left_cut"         // the day ended, and its last answer was cut: Cut
	DayAboutToBeLost   EventKind = "day_about_to_be_lost" // the day leaves the reach at Until
	DayReopened        EventKind = "day_reopened"         // the day had ended too early, in State
	TodayTooEarly      EventKind = "today_too_early"      // the API does not export today yet
	ClockDiffers       EventKind = "clock_differs"        // the API says that a day is out of reach, but its clock, At, differs from ours
	DayRefused         EventKind = "day_refused"          // the API refuses this day, but no other day of the stream
	DayAnsweredEmpty   EventKind = "day_answered_empty"   // an answer without rows, which is accepted once another day has rows
	RowsMissing        EventKind = "rows_missing"         // Count rows that were published are not in the latest export
	ColumnsChanged     EventKind = "columns_changed"      // Added: columns that the stream never had; handled according to Contract
	Narrowed           EventKind = "narrowed"             // the day's query fails: it is exported in slices of Count events
	EventMissing       EventKind = "event_missing"        // the day is exported without EventName, whose query fails
	NarrowingFailed    EventKind = "narrowing_failed"     // no slice could be exported
	StreamHalted       EventKind = "stream_halted"        // for an hour, with Code and Detail
	StreamResumed      EventKind = "stream_resumed"       // after a successful export
	ExclusiveSuspected EventKind = "exclusive_suspected"  // days without rows have Count rows when they are exported together
	ExclusiveFound     EventKind = "exclusive_found"      // confirmed: the stream is halted
	IdentityChanged    EventKind = "identity_changed"     // topic, properties or hidden columns changed: Count days, with Rows rows so far, are published again
	ProfilesDiffer     EventKind = "profiles_differ"      // the same of a stream of changes: profiles are published that differ from its topic now
	HidingBegins       EventKind = "hiding_begins"        // columns are hidden from now on, but earlier rows were published with them, to Topic
	KeyRefused         EventKind = "key_refused"          // the key of the hashes has changed: the stream is halted until it is resumed
	SettingChanged     EventKind = "setting_changed"      // Detail describes the effect
	DaysLack           EventKind = "days_lack"            // Count settled days, from Day to LastDay, were exported with a narrower filter
	NameUnknown        EventKind = "name_unknown"         // no row of Count days had EventName, which is of NameKind; Near is the most similar name
	StreamRemoved      EventKind = "stream_removed"       // the stream is in the ledger, but no longer configured
)

// Event is something to log or to count. Day is 0 if it concerns the stream as a whole.
type Event struct {
	Kind   EventKind
	Stream string
	Day    schema.Day

	Code        schema.Code
	Detail      string
	Cut         schema.Cut
	LastDay     schema.Day   // of a range that begins with Day
	Days        []schema.Day // all of them
	Count       int
	Rows        int
	At, Until   time.Time
	BeforeStart bool
	State       string
	EventName   string
	NameKind    NameKind
	Near        string
	Added       []string
	Contract    schema.Contract
	Topic       string
}

// Range returns the text of the days from Day to LastDay.
func (e *Event) Range() string { return e.Day.String() + " to " + e.LastDay.String() }
