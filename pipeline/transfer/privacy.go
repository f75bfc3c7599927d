package transfer

import (
	"context"
	"fmt"
	"strings"

	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/privacy"
)

// Raw says what dead letters show of rows and of answers.
type Raw int

// What dead letters show.
const (
	RawFull     Raw = iota // rows and answers as they arrived
	RawRedacted            // rows without hidden cells; nothing of rows that can't be read, and of answers
	RawNone                // nothing of rows and of answers
)

// CheckHeader has the ledger accept a header of a stream that hides columns, or returns
// why it is refused.
type CheckHeader func(ctx context.Context, stream string, h *schedule.Header) (*schedule.HeaderRefusal, error)

// SetPrivacy limits what the call's failures show to what the stream's letters may show.
func (s *Stream) SetPrivacy(call *schema.Export) {
	switch {
	case s.Privacy != nil:
		call.Private = s.Privacy
	case s.Raw != RawFull:
		call.Private = schema.PlainLines{}
	}
	call.KeepBody = call.Private != nil && s.Raw == RawFull
}

// view returns what makes public rows below a header; nil: all cells are public. A
// header that could bring a column to be hidden under another name is refused.
func (s *Stream) view(ctx context.Context, check CheckHeader, call *schema.Export, header *schema.Columns) (*privacy.View, error) {
	p := s.Privacy
	if p == nil || len(header.Names) == 0 { // a day that was answered without rows has no header
		return nil, nil
	}
	refused, err := check(ctx, s.Name, &schedule.Header{
		Names: header.Names, Listed: p.Columns(), Missing: p.Missing(header.Names), Hash: headerHash(p, header.Names),
	})
	if err == nil && refused != nil {
		err = headerFailure(call, refused)
	}
	if err != nil {
		return nil, interrupted(call, err)
	}
	view, err := p.View(header)
	if err != nil {
		return nil, err
	}
	view.KeepRaw = s.Raw == RawFull
	return view, nil
}

// headerHash stands for the names of a header under the lists of the policy.
func headerHash(p *privacy.Policy, names []string) string {
	return string(schema.AppendID(nil, p.LineHash([]byte(p.ListsIdentity()+"\n"+strings.Join(names, "\x00"))), 0))
}

// headerFailure is the failure of an export whose header is refused. It names no column
// of the header, which may be data.
func headerFailure(call *schema.Export, refused *schedule.HeaderRefusal) *schema.Failure {
	missing := make([]string, len(refused.Missing))
	for i, name := range refused.Missing {
		missing[i] = fmt.Sprintf("%q", name)
	}
	what := "the header lacks columns that are to be hidden: " + shortList(missing, 10)
	if refused.New == nil {
		what += "; no header was accepted with these lists yet"
	} else {
		places := make([]string, len(refused.New))
		for i, at := range refused.New {
			places[i] = fmt.Sprint(at)
		}
		what += "; new are its columns " + shortList(places, 10) + ", and one of them may be a missing one under another name"
	}
	f := call.Failure(schema.PrivacyColumns, schema.OriginSchema, what)
	f.Status, f.Redacted = 200, true
	return f
}

// shortList keeps messages short.
func shortList(list []string, most int) string {
	if len(list) > most {
		return strings.Join(list[:most], ", ") + fmt.Sprintf(" and %d more", len(list)-most)
	}
	return strings.Join(list, ", ")
}

// withhold leaves of a bad row what its dead letter may show. row is the public row
// that it was, nil if it can't be read; header are the columns as they arrived, and
// columns the public ones.
func (s *Stream) withhold(bad *schema.BadRow, row *schema.Row, header, columns *schema.Columns) {
	shown := bad.Raw // with a policy a public row has no raw form
	if row != nil && s.Privacy != nil {
		shown = privacy.Render(row)
		bad.Hash = schema.BadFingerprint(shown)
	}
	if s.Privacy != nil {
		bad.Hash = s.Privacy.LineHash(bad.Hash[:])
	}
	bad.Columns = columns
	switch {
	case s.Raw == RawFull:
		bad.Columns = header
	case s.Raw == RawRedacted && row != nil:
		bad.Raw, bad.Redacted = schema.Copy(shown), s.Privacy != nil
	default:
		bad.Raw, bad.Redacted = nil, true
	}
}
