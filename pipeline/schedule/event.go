package schedule

import (
	"time"

	"dfinery-kafka/schema"
)

// Kind is what has happened.
type Kind string

// The kinds of events.
const (
	DaySettled         Kind = "day_settled"          // it has its last state: its fingerprints can be written as one run
	DayLost            Kind = "day_lost"             // it left the reach without ever having been exported
	DayLeftUnsettled   Kind = "day_left_unsettled"   // it left the reach, or START if BeforeStart, between its first export and its settling
	DayCut             Kind = "day_cut"              // it is finished, and its answer is cut for the first time: Cut, Code and Detail
	DayLeftCut         Kind = "day_left_cut"         // it ended, and its last answer was cut: Cut
	DayAboutToBeLost   Kind = "day_about_to_be_lost" // in a few days, at Until
	DayReopened        Kind = "day_reopened"         // it had ended too early, in State
	TodayTooEarly      Kind = "today_too_early"      // the API does not export today yet
	ClockDiffers       Kind = "clock_differs"        // the API calls a day out of reach, but its clock, At, is not ours
	DayRefused         Kind = "day_refused"          // the API refuses the day, but no other of its stream
	DayAnsweredEmpty   Kind = "day_answered_empty"   // without rows, which may be right once another day has some
	RowsMissing        Kind = "rows_missing"         // Count rows that were published are not in the latest export
	ColumnsChanged     Kind = "columns_changed"      // Added, which the stream never had; by Contract
	Narrowed           Kind = "narrowed"             // its query fails: it is exported in slices of Count events
	EventMissing       Kind = "event_missing"        // EventName can't be exported of the day
	NarrowingFailed    Kind = "narrowing_failed"     // no slice could be exported
	StreamHalted       Kind = "stream_halted"        // for an hour, with Code and Detail
	StreamResumed      Kind = "stream_resumed"       // by a success
	ExclusiveSuspected Kind = "exclusive_suspected"  // days without rows have Count when they are exported together
	ExclusiveFound     Kind = "exclusive_found"      // and again: the stream is halted
	IdentityChanged    Kind = "identity_changed"     // topic, properties or hidden columns: Count days, with Rows rows now, are published again
	HidingBegins       Kind = "hiding_begins"        // columns are hidden from now on, and rows were published with them
	KeyRefused         Kind = "key_refused"          // the stream is halted until it is resumed: another key hashes its hidden cells
	SettingChanged     Kind = "setting_changed"      // another one: Detail says what it means
	DaysLack           Kind = "days_lack"            // Count settled days, of the range Detail, were exported before the filter let more events through
	NameUnknown        Kind = "name_unknown"         // no row of the Count days had EventName, an event or a property as Detail says; Near is like it
	StreamRemoved      Kind = "stream_removed"       // the ledger knows it, and it is not configured any more
)

// Event is something to log or to count. Day is 0 for what happens to a stream as a whole.
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
}
