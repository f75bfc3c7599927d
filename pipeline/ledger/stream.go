package ledger

import (
	"slices"
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

// Schemas is the history of the schema of a stream's values, for its current topic.
type Schemas struct {
	Format   encoding.Format    `json:"format"`
	Topic    string             `json:"topic"`
	Subject  string             `json:"subject,omitempty"`
	Record   string             `json:"record,omitempty"`
	Fields   []encoding.Field   `json:"fields"`
	Versions []encoding.Version `json:"versions,omitempty"`
	// Former are those of the stream's former topics, the last one first: a topic that the
	// stream returns to still has its values.
	Former []encoding.Evolution `json:"former,omitempty"`

	unknown
}

// maxFormer limits how many former topics are known, because a record has the columns of each.
const maxFormer = 3

// Of returns a copy of the history of a topic; nil if there is none.
func (s *Schemas) Of(topic string) *encoding.Evolution {
	if s.Topic == topic {
		return s.current().Clone()
	}
	for i := range s.Former {
		if s.Former[i].Topic == topic {
			return s.Former[i].Clone()
		}
	}
	return nil
}

func (s *Schemas) current() *encoding.Evolution {
	return &encoding.Evolution{Format: s.Format, Topic: s.Topic, Subject: s.Subject, Record: s.Record, Fields: s.Fields, Versions: s.Versions}
}

// Set stores the history of a topic, which becomes the stream's current one.
func (s *Schemas) Set(e *encoding.Evolution) {
	e = e.Clone()
	if s.Topic != "" && s.Topic != e.Topic {
		former := slices.DeleteFunc(slices.Clone(s.Former), func(f encoding.Evolution) bool { return f.Topic == e.Topic })
		former = append([]encoding.Evolution{*s.current()}, former...)
		s.Former = former[:min(len(former), maxFormer)]
	}
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
