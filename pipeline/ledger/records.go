package ledger

import (
	"encoding/json"
	"time"

	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
)

// Owner is the record owner/SERVICE: the instance that writes, with the time of its last sign of life.
type Owner struct {
	Instance   string    `json:"instance"`
	Host       string    `json:"host"`
	Version    string    `json:"version"`
	ProducerID int64     `json:"producer_id"`
	Epoch      int16     `json:"epoch"`
	Since      time.Time `json:"since"`
	Beat       time.Time `json:"beat"`
	// Released says that the owner has ended in order: a stand-by need not wait for its silence.
	Released bool `json:"released,omitempty"`

	unknown
}

// Checkpoint is the record checkpoint/SERVICE: everything before its offsets is in the days' records and fingerprints.
type Checkpoint struct {
	At         time.Time `json:"at"`
	Partitions []Mark    `json:"partitions"`
	// Days are the days within reach whose records the ledger has, by stream, each with its From: a record that is not there any more
	// was lost. A topic that forgets, or was made anew under its owner, has a checkpoint before it has all days.
	Days map[string]map[schema.Day]int `json:"days,omitempty"`

	unknown
}

// Mark is how far a partition was written at a checkpoint.
type Mark struct {
	Topic     string `json:"topic"`
	Partition int    `json:"partition"`
	Next      int64  `json:"next"` // the offset after the last record that is accounted for
	// ID is the header "id" of our last record, which stands at Last; empty when this is not known.
	ID   string `json:"id,omitempty"`
	Last int64  `json:"last,omitempty"`

	unknown
}

// Marks are the checkpoint's marks by partition.
func (c *Checkpoint) Marks() map[recordbatch.TopicPartition]Mark {
	marks := map[recordbatch.TopicPartition]Mark{}
	if c != nil {
		for _, m := range c.Partitions {
			marks[recordbatch.TopicPartition{Topic: m.Topic, Partition: m.Partition}] = m
		}
	}
	return marks
}

// Service is the record service/SERVICE.
type Service struct {
	Source  json.RawMessage   `json:"source,omitempty"` // the source's own state, opaque here
	Streams map[string]Stream `json:"streams,omitempty"`
	Wait    *Wait             `json:"wait,omitempty"` // of all streams
	// LineEnds is what the source has learned of the ends of bodies, opaque here. It is no part of Source because releases before rewrite that.
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

// Columns are the columns of a stream that were met so far.
type Columns struct {
	Accepted []string `json:"accepted"`          // all that its headers ever had, in the order of their appearance
	Refused  []string `json:"refused,omitempty"` // new ones, for which the stream is halted until they are accepted
	// Hidden names the lists of hidden columns with which a header was accepted. RefusedHeader stands for the header that has halted the stream,
	// because it may have a hidden column under another name, by a hash that only the key's owner can compute; AcceptedHeader for one that is
	// accepted as it is, because the stream was resumed.
	Hidden         string `json:"hidden,omitempty"`
	RefusedHeader  string `json:"refused_header,omitempty"`
	AcceptedHeader string `json:"accepted_header,omitempty"`

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

// Schemas is what the values of a topic have been encoded with.
type Schemas struct {
	Format   encoding.Format    `json:"format"`
	Topic    string             `json:"topic"`
	Subject  string             `json:"subject,omitempty"`
	Record   string             `json:"record,omitempty"`
	Fields   []encoding.Field   `json:"fields"`
	Versions []encoding.Version `json:"versions,omitempty"`

	unknown
}

// Evolution returns a copy without the members that are unknown.
func (s *Schemas) Evolution() *encoding.Evolution {
	e := encoding.Evolution{Format: s.Format, Topic: s.Topic, Subject: s.Subject, Record: s.Record, Fields: s.Fields, Versions: s.Versions}
	return e.Clone()
}

// Set replaces all members that are known.
func (s *Schemas) Set(e *encoding.Evolution) {
	e = e.Clone()
	s.Format, s.Topic, s.Subject, s.Record, s.Fields, s.Versions = e.Format, e.Topic, e.Subject, e.Record, e.Fields, e.Versions
}

// DueFrom is the oldest day of a stream that still has to be exported.
type DueFrom struct {
	Day   schema.Day `json:"day"`
	Start string     `json:"start"` // STREAM_X_START as it was then: another one counts anew

	unknown
}

// Wait is why no export may start, and until when, as the owner last knew.
type Wait struct {
	For   schema.Reason `json:"for"`
	Until time.Time     `json:"until"`

	unknown
}

// Stream is what is kept of a stream as a whole.
type Stream struct {
	Paused  bool     `json:"paused,omitempty"`
	Halted  *Halt    `json:"halted,omitempty"`
	Blocked string   `json:"blocked,omitempty"` // why its owner can't write its topic
	Columns []string `json:"columns,omitempty"` // of the last export's header
	Events  []string `json:"events,omitempty"`  // names of events met, to slice a day by
	// HasRows says that some export had rows: so to_date is as configured.
	HasRows bool `json:"has_rows,omitempty"`
	// Identity is what its rows' fingerprints depend on: when it changes, the days in reach are published anew.
	Identity string `json:"identity,omitempty"`

	unknown
}

// Halt is why a stream stands still until it is tried again.
type Halt struct {
	Code   schema.Code `json:"code"`
	Detail string      `json:"detail"`
	Since  time.Time   `json:"since"`
	Until  time.Time   `json:"until"`

	unknown
}

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
	// LastLook says that a settled day was exported once more before it left the reach.
	LastLook bool `json:"last_look,omitempty"`

	unknown
}

// Forget takes rows out of the day whose fingerprints are gone: should an export have them, they are published, and counted, again.
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

// Range is a part of the rows topic: partition, first offset, the offset after the last.
type Range [3]int64

// Extend adds [from, to) of a partition, joining it to the last range when only few records stand between. Whatever stands between is
// read as well: so it joins only ranges that end at since or later, from where on every record is in the range of its day.
func Extend(ranges []Range, partition int, since, from, to int64) []Range {
	const near = 256
	if n := len(ranges); n > 0 {
		last := &ranges[n-1]
		if last[0] == int64(partition) && last[2] >= min(since, from) && from >= last[1] && from <= last[2]+near {
			last[2] = max(last[2], to)
			return ranges
		}
	}
	return append(ranges, Range{int64(partition), from, to})
}

// Cut drops what stands at or behind next in the partition: fingerprints that no checkpoint has confirmed.
func Cut(ranges []Range, partition int, next int64) []Range {
	kept := make([]Range, 0, len(ranges))
	for _, r := range ranges {
		if r[0] == int64(partition) {
			r[2] = min(r[2], next)
		}
		if r[1] < r[2] {
			kept = append(kept, r)
		}
	}
	return kept
}

// Command is the record command/ID.
type Command struct {
	ID      string     `json:"id"`
	Service string     `json:"service"`
	Verb    string     `json:"verb"` // pause, resume, accept, backfill, replay
	Stream  string     `json:"stream,omitempty"`
	From    schema.Day `json:"from,omitempty"`
	To      schema.Day `json:"to,omitempty"`
	Again   bool       `json:"again,omitempty"`
	// Most is how many profiles may be deleted; 0: those that are withheld.
	Most int `json:"most,omitempty"`
	// Letters are the dead letters to replay, all of Stream: [partition, offset] of the dead-letter topic.
	Letters [][2]int64 `json:"letters,omitempty"`
	Given   time.Time  `json:"given"`
	By      string     `json:"by,omitempty"`

	// What follows is written by the owner: when it was taken up, how many of its days or rows are done, and how it ended.
	Taken    *time.Time `json:"taken,omitempty"`
	Finished int        `json:"finished,omitempty"`
	Total    int        `json:"total,omitempty"`
	Done     *time.Time `json:"done,omitempty"`
	Result   string     `json:"result,omitempty"`
	Error    string     `json:"error,omitempty"`

	// Offset is where the record stands.
	Offset int64 `json:"-"`

	unknown
}

// Progress notes how far the command is, and tells whether that is news.
func (c *Command) Progress(finished, total int) bool {
	news := c.Finished != finished || c.Total != total
	c.Finished, c.Total = finished, total
	return news
}
