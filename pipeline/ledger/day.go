package ledger

import (
	"time"

	"dfinery-kafka/schema"
)

// DayState is the state of a day.
type DayState string

// The states of a day.
const (
	Pending DayState = "pending" // never successfully exported
	Open    DayState = "open"    // exported, may still change
	Settled DayState = "settled" // a successful export started after the end of the day and its lookback
	Gap     DayState = "gap"     // left the reach without a successful export
)

// Day is the record day/SERVICE/STREAM/DAY.
type Day struct {
	State     DayState `json:"state"`
	Exports   int      `json:"exports"`   // calls made, including failed ones
	Published int      `json:"published"` // rows in the topic, of this generation
	Rows      int      `json:"rows"`      // good rows of the last successful export
	Missing   int      `json:"missing"`   // published rows that the last successful export did not have
	Bad       int      `json:"bad"`       // rows dead-lettered

	FirstExport *time.Time `json:"first_export"`
	LastExport  *time.Time `json:"last_export"`  // start of the last call
	LastSuccess *time.Time `json:"last_success"` // start of the last successful one

	Final bool   `json:"final"` // no later export can change it; false if the day left the reach before it was settled
	Error *Fault `json:"error"` // why the last call failed; null after a success

	// Generation counts how often the day was published again from the start (backfill
	// --again); exports before From belong to earlier generations.
	Generation int `json:"generation"`
	From       int `json:"from,omitempty"`
	// AgainBy is what started this generation: the id of a command, "identity" and the
	// stream's new identity, or "changes" and an export. It must not start another one.
	AgainBy string `json:"again_by,omitempty"`
	// Fingerprints are the ranges [partition, from, to) of the rows topic with the fingerprints
	// of this generation.
	Fingerprints []Range `json:"fingerprints"`

	// StillBad lists the bad rows of the last complete export. It is empty if that export had
	// all rows of this generation that have a dead letter, or too many bad rows.
	StillBad *StillBad `json:"still_bad,omitempty"`

	// MissingEvents are the events that the day still lacks because the API's query for them
	// fails; MissingTried is when they were last requested.
	MissingEvents []string   `json:"missing_events,omitempty"`
	MissingTried  *time.Time `json:"missing_tried,omitempty"`
	// Slices are the parts still to be exported of a day whose query as a whole fails.
	Slices []Slice `json:"slices,omitempty"`
	// LastLook means that a settled day was exported once more before it left the reach.
	LastLook bool `json:"last_look,omitempty"`

	unknown
}

// Forget subtracts rows whose fingerprints are lost: if an export has them, they are published
// and counted again.
func (d *Day) Forget(rows int) {
	published := min(rows, d.Published)
	d.Published -= published
	d.Bad = max(0, d.Bad-(rows-published))
}

// Slice is a part of a day: some events, or all except some.
type Slice struct {
	Events  []string `json:"events,omitempty"`
	Exclude []string `json:"exclude,omitempty"`

	unknown
}

// Fault is the last failure of a day, and when it may be retried.
type Fault struct {
	Code     schema.Code `json:"code"`
	Detail   string      `json:"detail"`
	At       time.Time   `json:"at"`
	Attempts int         `json:"attempts"` // failed calls since the last success
	Until    time.Time   `json:"until"`

	unknown
}
