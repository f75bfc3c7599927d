package ledger

import (
	"time"

	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
)

// Columns are the columns that a stream has had so far.
type Columns struct {
	Accepted []string `json:"accepted"`          // all columns of its headers so far, in order of appearance
	Refused  []string `json:"refused,omitempty"` // new ones, for which the stream is halted until they are accepted
	// Hidden identifies the lists of hidden columns with which a header was accepted.
	// RefusedHeader is the hash of the header that halted the stream because it may contain a
	// hidden column under another name; the hash can only be computed with the key.
	// AcceptedHeader is the hash of a header that is accepted because the stream was resumed.
	Hidden         string `json:"hidden,omitempty"`
	RefusedHeader  string `json:"refused_header,omitempty"`
	AcceptedHeader string `json:"accepted_header,omitempty"`

	unknown
}

// Schemas is the history of the schema of a topic's values.
type Schemas struct {
	Format   encoding.Format    `json:"format"`
	Topic    string             `json:"topic"`
	Subject  string             `json:"subject,omitempty"`
	Record   string             `json:"record,omitempty"`
	Fields   []encoding.Field   `json:"fields"`
	Versions []encoding.Version `json:"versions,omitempty"`

	unknown
}

// Evolution returns a copy without unknown members.
func (s *Schemas) Evolution() *encoding.Evolution {
	e := encoding.Evolution{Format: s.Format, Topic: s.Topic, Subject: s.Subject, Record: s.Record, Fields: s.Fields, Versions: s.Versions}
	return e.Clone()
}

// Set replaces all known members.
func (s *Schemas) Set(e *encoding.Evolution) {
	e = e.Clone()
	s.Format, s.Topic, s.Subject, s.Record, s.Fields, s.Versions = e.Format, e.Topic, e.Subject, e.Record, e.Fields, e.Versions
}

// Stream is the state of a stream as a whole.
type Stream struct {
	Paused  bool     `json:"paused,omitempty"`
	Halted  *Halt    `json:"halted,omitempty"`
	Blocked string   `json:"blocked,omitempty"` // why its owner can't write its topic
	Columns []string `json:"columns,omitempty"` // of the last export's header
	Events  []string `json:"events,omitempty"`  // names of the events seen, for slicing a day
	// HasRows means that some export had rows, which proves that to_date is configured correctly.
	HasRows bool `json:"has_rows,omitempty"`
	// Identity covers everything that the fingerprints of rows depend on: when it changes, the
	// days in reach are published again.
	Identity string `json:"identity,omitempty"`

	unknown
}

// Halt is why a stream is halted, and until when.
type Halt struct {
	Code   schema.Code `json:"code"`
	Detail string      `json:"detail"`
	Since  time.Time   `json:"since"`
	Until  time.Time   `json:"until"`

	unknown
}
