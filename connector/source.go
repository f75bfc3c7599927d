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

// Source makes the export calls of one service, when its limiter grants them. Safe for concurrent use.
type Source struct {
	export        func(context.Context, schema.Export) (body, error)
	limiter       *limiter.Limiter
	lineEnds      *exportapi.LineEndLearner // the client's; nil without one
	recoverQuotes bool                      // the client's
}

// body is what a Source needs of *exportapi.Body.
type body interface {
	Columns() *schema.Columns
	Charset() string // to remember for the stream; empty: nothing new
	Next() (*schema.Row, error)
	More() bool
	Close() error
	Request() schema.Request
	Bytes() int64
	Rows() int64
	Framed() bool               // the end of the body is proven by its framing
	Headers() map[string]string // of the answer, lower-case names
	Date() time.Time            // the answer's; zero without one
}

// NewSource is a source that makes its calls with client, whose LineEnds, if it has any, learns what an earlier release kept of
// them in the state. state is what State of an earlier one returned; empty for a fresh start. An error means that it can't be read: garbage, or of a newer release.
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

// Reserve grants one call now, or says what to wait for; see limiter.Limiter.Reserve. The permit has to be ended by Export and the body's Close,
// or by Cancel.
func (s *Source) Reserve(now time.Time, spare int) (*Permit, schema.Wait) {
	ticket, wait := s.limiter.Reserve(now, spare)
	if ticket == nil {
		return nil, wait
	}
	return &Permit{ticket: ticket, export: s.export}, schema.Wait{}
}

// RetryToken has a token that the API refused tried with the next call.
func (s *Source) RetryToken(now time.Time) { s.limiter.RetryToken(now) }

// Accepts reports whether an answer with this kind of cut is accepted as complete: by the configuration, or by what was learned.
func (s *Source) Accepts(cut schema.Cut) bool {
	switch cut {
	case schema.NoNewline:
		return s.lineEnds != nil && s.lineEnds.Believed()
	case schema.UnclosedCell:
		return s.recoverQuotes
	}
	return false
}

// LineEnds is what was learned of the ends of bodies, to be kept over a restart apart from State, which releases before rewrite.
func (s *Source) LineEnds() json.RawMessage {
	if s.lineEnds == nil {
		return nil
	}
	text, err := json.Marshal(s.lineEnds)
	if err != nil {
		panic(fmt.Sprintf("marshal what was learned of line ends: %v", err)) // plain data can't fail
	}
	return text
}

// Status is the state of the source's limits at now.
func (s *Source) Status(now time.Time) limiter.Status { return s.limiter.Status(now) }
