package ledger

import (
	"encoding/json"
	"time"

	"dfinery-kafka/schema"
)

// Service is the record service/SERVICE.
type Service struct {
	Source  json.RawMessage   `json:"source,omitempty"` // the source's own state, opaque here
	Streams map[string]Stream `json:"streams,omitempty"`
	Wait    *Wait             `json:"wait,omitempty"` // of all streams
	// LineEnds is what the source has learned of the ends of bodies, opaque here. It is not part of Source because earlier releases rewrite that.
	LineEnds json.RawMessage `json:"line_ends,omitempty"`
	// Cuts are, by stream, the days whose answers are or were cut, as far as their content shows.
	Cuts map[string]map[schema.Day]Truncation `json:"cuts,omitempty"`
	// DueFrom is, by stream, the oldest day that is due, or was when START moved on past it.
	DueFrom map[string]DueFrom `json:"due_from,omitempty"`
	// Timezone is where the source's days begin.
	Timezone string `json:"timezone,omitempty"`
	// Settings are, by stream, those that decide which rows its days have and how they look, as the owner last had them.
	Settings map[string]Settings `json:"settings,omitempty"`
	// Charsets are, by stream, what the published rows were read in where that is not UTF-8; us-ascii where they had nothing else.
	Charsets map[string]string `json:"charsets,omitempty"`
	// Schemas are, by stream, what the values of its topic have been encoded with.
	Schemas map[string]*Schemas `json:"schemas,omitempty"`
	// Profiles are, by stream, what is kept of those that publish changes of profiles.
	Profiles map[string]*Profiles `json:"profiles,omitempty"`
	// Columns are, by stream, those that its exports may have.
	Columns map[string]Columns `json:"columns,omitempty"`

	unknown
}

// Truncation is what is known of a day whose answers are cut.
type Truncation struct {
	Cut     schema.Cut `json:"cut,omitempty"`     // of the last answer; empty after a success
	At      string     `json:"at,omitempty"`      // the place of the cut
	Times   int        `json:"times,omitempty"`   // answers in a row that were cut so in that place
	Started *time.Time `json:"started,omitempty"` // start of the call
	// Letters are the cuts that have a dead letter: each day has one of each.
	Letters []schema.Cut `json:"letters,omitempty"`
	// Reported says that the log has named the day, finished and cut.
	Reported bool `json:"reported,omitempty"`

	unknown
}

// Settings are those of a stream that its identity does not have: a change of them makes no other rows of the same events.
type Settings struct {
	Events        []string `json:"events,omitempty"`
	ExcludeEvents []string `json:"exclude_events,omitempty"`
	Audience      string   `json:"audience,omitempty"`
	Key           string   `json:"key,omitempty"`
	Empty         string   `json:"empty,omitempty"`
	Format        string   `json:"format,omitempty"`
	Pace          *Pace    `json:"pace,omitempty"` // for readers that don't know the owner's configuration
	Properties    []string `json:"properties,omitempty"`
	// NamesSince is when the filter began to name the events and properties that it names. PropertiesMet are those of the properties that
	// rows have had since.
	NamesSince    *time.Time `json:"names_since,omitempty"`
	PropertiesMet []string   `json:"properties_met,omitempty"`
	// Wider is when the filter began to let more events through: days whose last success began before it may lack them. They have at least
	// what the filter of WiderEvents and WiderExclude lets through.
	Wider        *time.Time `json:"wider,omitempty"`
	WiderEvents  []string   `json:"wider_events,omitzero"`
	WiderExclude []string   `json:"wider_exclude,omitempty"`

	unknown
}

// Pace is how the days of a stream are scheduled, as its variables have it.
type Pace struct {
	Poll             string `json:"poll"`
	Lookback         int    `json:"lookback"`
	LookbackInterval string `json:"lookback_interval"`
	Start            string `json:"start"`

	unknown
}

// DueFrom is the oldest day of a stream that still has to be exported.
type DueFrom struct {
	Day   schema.Day `json:"day"`
	Start string     `json:"start"` // STREAM_X_START as it was then: another value starts over

	unknown
}

// Wait is why no export may start, and until when, as the owner last knew.
type Wait struct {
	For   schema.Reason `json:"for"`
	Until time.Time     `json:"until"`

	unknown
}
