package schedule

import (
	"time"

	"dfinery-kafka/schema"
)

// Kind is the kind of an event.
type Kind string

// The kinds of events.
const (
	DaySettled         Kind = "day_settled"          // the day is final: its fingerprints can be written as one run
	DayLost            Kind = "day_lost"             // the day left the reach and was never exported
	DayLeftUnsettled   Kind = "day_left_unsettled"   // the day left the reach (or START: BeforeStart) after its first export and before it was settled
	DayCut             Kind = "day_cut"              // the answer for a finished day is cut for the first time: Cut, Code and Detail
	DayLeftCut         Kind = "day_left_cut"         // the day ended, and its last answer was cut: Cut
	DayAboutToBeLost   Kind = "day_about_to_be_lost" // the day leaves the reach at Until
	DayReopened        Kind = "day_reopened"         // the day had ended too early, in State
	TodayTooEarly      Kind = "today_too_early"      // the API does not export today yet
	ClockDiffers       Kind = "clock_differs"        // the API says that a day is out of reach, but its clock, At, differs from ours
	DayRefused         Kind = "day_refused"          // the API refuses this day, but no other day of the stream
	DayAnsweredEmpty   Kind = "day_answered_empty"   // an answer without rows, which is accepted once another day has rows
	RowsMissing        Kind = "rows_missing"         // Count rows that were published are not in the latest export
	ColumnsChanged     Kind = "columns_changed"      // Added: columns that the stream never had; handled according to Contract
	Narrowed           Kind = "narrowed"             // the day's query fails: it is exported in slices of Count events
	EventMissing       Kind = "event_missing"        // the day is exported without EventName, whose query fails
	NarrowingFailed    Kind = "narrowing_failed"     // no slice could be exported
	StreamHalted       Kind = "stream_halted"        // for an hour, with Code and Detail
	StreamResumed      Kind = "stream_resumed"       // after a successful export
	ExclusiveSuspected Kind = "exclusive_suspected"  // days without rows have Count rows when they are exported together
	ExclusiveFound     Kind = "exclusive_found"      // confirmed: the stream is halted
	IdentityChanged    Kind = "identity_changed"     // topic, properties or hidden columns changed: Count days, with Rows rows so far, are published again
	ProfilesDiffer     Kind = "profiles_differ"      // the same of a stream of changes: profiles are published that differ from its topic now
	HidingBegins       Kind = "hiding_begins"        // columns are hidden from now on, but earlier rows were published with them, to Topic
	KeyRefused         Kind = "key_refused"          // the key of the hashes has changed: the stream is halted until it is resumed
	SettingChanged     Kind = "setting_changed"      // Detail describes the effect
	DaysLack           Kind = "days_lack"            // Count settled days, in the range Detail, were exported with a narrower filter
	NameUnknown        Kind = "name_unknown"         // no row of Count days had EventName, an event or a property (Detail); Near is the most similar name
	StreamRemoved      Kind = "stream_removed"       // the stream is in the ledger, but no longer configured
)

// Event is something to log or to count. Day is 0 if it concerns the stream as a whole.
type Event struct {
	Kind   Kind
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
	Near        string
	Added       []string
	Contract    schema.Contract
	Topic       string
}
