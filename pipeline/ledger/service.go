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
	// LineEnds is what the source has learned about how bodies end, opaque here. It is not part
	// of Source because earlier releases overwrite that.
	LineEnds json.RawMessage `json:"line_ends,omitempty"`
	// Cuts are, by stream, the days whose answers are or were cut according to their content.
	Cuts map[string]map[schema.Day]Truncation `json:"cuts,omitempty"`
	// DueFrom is, by stream, the oldest day that is due, or that was due when START moved past it.
	DueFrom map[string]DueFrom `json:"due_from,omitempty"`
	// Timezone is the time zone of the source's days.
	Timezone string `json:"timezone,omitempty"`
	// Settings are, by stream, the owner's last settings that decide which rows the days have,
	// and their format.
	Settings map[string]Settings `json:"settings,omitempty"`
	// Charsets are, by stream, the charset of the published rows if it is not UTF-8; us-ascii
	// if they contain only ASCII.
	Charsets map[string]string `json:"charsets,omitempty"`
	// Schemas are, by stream, the schemas of the values in its topic.
	Schemas map[string]*Schemas `json:"schemas,omitempty"`
	// Profiles are, by stream, the state of those that publish changes of profiles.
	Profiles map[string]*Profiles `json:"profiles,omitempty"`
	// Columns are, by stream, the columns that its exports may have.
	Columns map[string]Columns `json:"columns,omitempty"`

	unknown
}

// Truncation describes a day whose answers are cut.
type Truncation struct {
	Cut     schema.Cut `json:"cut,omitempty"`     // of the last answer; empty after a success
	At      string     `json:"at,omitempty"`      // position of the cut
	Times   int        `json:"times,omitempty"`   // consecutive answers with that cut at that position
	Started *time.Time `json:"started,omitempty"` // start of the call
	// Letters are the kinds of cut that have a dead letter: a day has one of each kind.
	Letters []schema.Cut `json:"letters,omitempty"`
	// Reported means that the log has reported the finished day as cut.
	Reported bool `json:"reported,omitempty"`

	unknown
}

// Settings are the settings of a stream that are not part of its identity: changing them does
// not change the rows of the same events.
type Settings struct {
	Events        []string `json:"events,omitempty"`
	ExcludeEvents []string `json:"exclude_events,omitempty"`
	Audience      string   `json:"audience,omitempty"`
	Key           string   `json:"key,omitempty"`
	Empty         string   `json:"empty,omitempty"`
	Format        string   `json:"format,omitempty"`
	Pace          *Pace    `json:"pace,omitempty"` // for readers without the owner's configuration
	Properties    []string `json:"properties,omitempty"`
	// NamesSince is since when the filter has its present names of events and properties.
	// PropertiesMet are those of the properties that rows have had since then.
	NamesSince    *time.Time `json:"names_since,omitempty"`
	PropertiesMet []string   `json:"properties_met,omitempty"`
	// Wider is when the filter was extended: days whose last successful export started before
	// may lack events. They have at least the events of the filter WiderEvents and
	// WiderExclude.
	Wider        *time.Time `json:"wider,omitempty"`
	WiderEvents  []string   `json:"wider_events,omitzero"`
	WiderExclude []string   `json:"wider_exclude,omitempty"`

	unknown
}

// Pace is the configured schedule of a stream's days.
type Pace struct {
	Poll             string `json:"poll"`
	Lookback         int    `json:"lookback"`
	LookbackInterval string `json:"lookback_interval"`
	Start            string `json:"start"`

	unknown
}

// DueFrom is the oldest day of a stream that must still be exported.
type DueFrom struct {
	Day   schema.Day `json:"day"`
	Start string     `json:"start"` // STREAM_X_START at that time: another value starts over

	unknown
}

// Wait is why no export may start, and until when, according to the owner.
type Wait struct {
	For   schema.Reason `json:"for"`
	Until time.Time     `json:"until"`

	unknown
}
