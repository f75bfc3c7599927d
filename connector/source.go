package connector

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"dfinery-kafka/connector/exportapi"
	"dfinery-kafka/connector/limiter"
	"dfinery-kafka/schema"
)

// Source makes the export calls of one service when its limiter allows them. It is safe for
// concurrent use.
type Source struct {
	export        func(context.Context, schema.Export) (body, error)
	limiter       *limiter.Limiter
	lineEnds      *exportapi.LineEndLearner // the client's; nil without one
	recoverQuotes bool                      // the client's
}

// body is the part of *exportapi.Body that a Source uses.
type body interface {
	Columns() *schema.Columns
	Charset() string // to store for the stream; empty: unchanged
	Next() (*schema.Row, error)
	More() bool // Next will most likely return without waiting for more of the body
	Close() error
	Request() schema.Request
	Framed() bool               // after io.EOF: the framing proves that the body is complete
	Headers() map[string]string // of the answer, lower-case names
	Date() time.Time            // the answer's; zero without one
}

// NewSource returns a source that makes its calls with client. state is what State of an
// earlier source returned, or empty for a fresh start. If client has LineEnds, what an earlier
// release stored about them in state is imported. An error means that state can't be read: it
// is corrupt or was written by a newer release.
func NewSource(client *exportapi.Client, policy limiter.Policy, state json.RawMessage) (*Source, error) {
	s, err := newSource(func(ctx context.Context, e schema.Export) (body, error) {
		b, err := client.Export(ctx, e)
		if err != nil {
			return nil, err
		}
		return b, nil
	}, client.LineEnds, policy, state)
	if err != nil {
		return nil, err
	}
	s.recoverQuotes = client.RecoverQuotes
	return s, nil
}

func newSource(export func(context.Context, schema.Export) (body, error), lineEnds *exportapi.LineEndLearner, policy limiter.Policy, state json.RawMessage) (*Source, error) {
	saved, err := readState(state, lineEnds)
	if err != nil {
		return nil, err
	}
	return &Source{export: export, limiter: limiter.New(policy, saved, time.Now()), lineEnds: lineEnds}, nil
}

// Reserve grants one call now, or returns what to wait for; see limiter.Limiter.Reserve. The
// permit must be released by Export and the download's Close, or by Cancel.
func (s *Source) Reserve(now time.Time, spare int) (*Permit, schema.Wait) {
	ticket, wait := s.limiter.Reserve(now, spare)
	if ticket == nil {
		return nil, wait
	}
	return &Permit{ticket: ticket, export: s.export}, schema.Wait{}
}

// RetryToken lets the next call try a token that the API refused.
func (s *Source) RetryToken(now time.Time) { s.limiter.RetryToken(now) }

// Accepts reports whether an answer with this kind of cut counts as complete, by configuration
// or because the API was seen to end that way.
func (s *Source) Accepts(cut schema.Cut) bool {
	switch cut {
	case schema.NoNewline:
		return s.lineEnds != nil && s.lineEnds.Believed()
	case schema.UnclosedCell:
		return s.recoverQuotes
	}
	return false
}

// LineEnds is what was learned about how bodies end, to be persisted over restarts. It is
// separate from State because earlier releases overwrite that.
func (s *Source) LineEnds() json.RawMessage {
	if s.lineEnds == nil {
		return nil
	}
	text, err := json.Marshal(s.lineEnds)
	if err != nil {
		panic(fmt.Sprintf("marshal the line ends: %v", err)) // plain data can't fail
	}
	return text
}

// Status is the state of the source's limits at now.
func (s *Source) Status(now time.Time) limiter.Status { return s.limiter.Status(now) }
