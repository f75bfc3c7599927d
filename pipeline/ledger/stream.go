package ledger

import (
	"time"

	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
)

// Columns are the columns of a stream that were met so far.
type Columns struct {
	Accepted []string `json:"accepted"`          // all that its headers ever had, in the order of their appearance
	Refused  []string `json:"refused,omitempty"` // new ones, for which the stream is halted until they are accepted
	// Hidden names the lists of hidden columns with which a header was accepted. RefusedHeader is the hash of the header that has halted the stream,
	// because it may have a hidden column under another name; only the key's owner can compute it. AcceptedHeader is that of one that is
	// accepted as it is, because the stream was resumed.
	Hidden         string `json:"hidden,omitempty"`
	RefusedHeader  string `json:"refused_header,omitempty"`
	AcceptedHeader string `json:"accepted_header,omitempty"`

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

// Stream is what is kept of a stream as a whole.
type Stream struct {
	Paused  bool     `json:"paused,omitempty"`
	Halted  *Halt    `json:"halted,omitempty"`
	Blocked string   `json:"blocked,omitempty"` // why its owner can't write its topic
	Columns []string `json:"columns,omitempty"` // of the last export's header
	Events  []string `json:"events,omitempty"`  // names of events met, to slice a day by
	// HasRows says that some export had rows: so to_date is as configured.
	HasRows bool `json:"has_rows,omitempty"`
	// Identity is what its rows' fingerprints depend on: when it changes, the days in reach are published again.
	Identity string `json:"identity,omitempty"`

	unknown
}

// Halt is why a stream is halted until it is tried again.
type Halt struct {
	Code   schema.Code `json:"code"`
	Detail string      `json:"detail"`
	Since  time.Time   `json:"since"`
	Until  time.Time   `json:"until"`

	unknown
}
