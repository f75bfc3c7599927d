package ledger

import (
	"time"

	"dfinery-kafka/schema"
)

// DayState is how far a day has come.
type DayState string

// The states of a day.
const (
	Pending DayState = "pending" // never exported with success
	Open    DayState = "open"    // exported, may still change
	Settled DayState = "settled" // a successful export started after the end of the day and its lookback
	Gap     DayState = "gap"     // left the reach without a successful export
)

// Day is the record day/SERVICE/STREAM/DAY.
type Day struct {
	State     DayState `json:"state"`
	Exports   int      `json:"exports"`   // calls made, failed ones too
	Published int      `json:"published"` // rows in the topic, of this generation
	Rows      int      `json:"rows"`      // good rows of the last successful export
	Missing   int      `json:"missing"`   // rows published that the last successful export did not have
	Bad       int      `json:"bad"`       // rows dead-lettered

	FirstExport *time.Time `json:"first_export"`
	LastExport  *time.Time `json:"last_export"`  // start of the last call
	LastSuccess *time.Time `json:"last_success"` // start of the last successful one

	Final bool   `json:"final"` // no later export can change it: false when it left the reach before it was settled
	Error *Fault `json:"error"` // why the last call failed; null after a success

	// Generation counts how often the day was published from the start (backfill --again); exports before From are of older ones.
	Generation int `json:"generation"`
	From       int `json:"from,omitempty"`
	// AgainBy is the command that began this generation: it begins no other.
	AgainBy string `json:"again_by,omitempty"`
	// Fingerprints are the ranges [partition, from, to) of the rows topic that hold this generation's.
	Fingerprints []Range `json:"fingerprints"`

	// StillBad lists the bad rows of the last whole export, unless it had every row of this generation that has a dead letter, or too many.
	StillBad *StillBad `json:"still_bad,omitempty"`

	// MissingEvents are the events that the day still lacks because the API's query for them fails; MissingTried is when they were
	// asked for last.
	MissingEvents []string   `json:"missing_events,omitempty"`
	MissingTried  *time.Time `json:"missing_tried,omitempty"`
	// Slices are what is still to be exported of a day whose whole query fails.
	Slices []Slice `json:"slices,omitempty"`
	// LastLook says that a settled day was exported again before it left the reach.
	LastLook bool `json:"last_look,omitempty"`

	unknown
}

// Forget takes rows off the day's counts whose fingerprints are gone: if an export has them, they are published and counted again.
func (d *Day) Forget(rows int) {
	published := min(rows, d.Published)
	d.Published -= published
	d.Bad = max(0, d.Bad-(rows-published))
}

// Slice is a part of a day: some events, or all but some.
type Slice struct {
	Events  []string `json:"events,omitempty"`
	Exclude []string `json:"exclude,omitempty"`

	unknown
}

// Fault is the last failure of a day, and when it may be tried again.
type Fault struct {
	Code     schema.Code `json:"code"`
	Detail   string      `json:"detail"`
	At       time.Time   `json:"at"`
	Attempts int         `json:"attempts"` // failed calls since the last success
	Until    time.Time   `json:"until"`

	unknown
}
