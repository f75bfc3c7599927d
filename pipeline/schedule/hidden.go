package schedule

import (
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// Header is a header of a stream that hides columns, checked before its first row.
type Header struct {
	Names   []string // as received
	Listed  []string // the configured hidden columns
	Missing []string // those that the header lacks
	Hash    string   // hash of the names, which may contain personal data
}

// HeaderRefusal describes why a header is refused: hidden columns are missing, and
// other columns are new. A new column may be a missing one that is misspelt in the
// configuration or was renamed at the source.
type HeaderRefusal struct {
	Missing []string
	New     []int // positions, from 1; nil: no header has been accepted with these lists yet
}

// hiding determines which headers of a stream that hides columns are accepted.
type hiding struct {
	lists    string // the hidden columns with which a header was accepted
	refused  string // the hash of the header that halted the stream
	accepted string // the hash of a header that was accepted by resuming the stream
}

// check accepts a header, or returns why it is refused. lists are the configured hidden
// columns, columns those of earlier headers; changed: the ledger must be written.
func (a *hiding) check(h *Header, lists string, columns []string) (refusal *HeaderRefusal, changed bool) {
	first := a.lists != lists
	known := setOf(h.Listed, columns)
	var fresh []int
	for i, name := range h.Names {
		if !known[name] {
			fresh = append(fresh, i+1)
		}
	}
	if len(h.Missing) > 0 && (first || len(fresh) > 0) && h.Hash != a.accepted {
		if first {
			fresh = nil
		}
		changed = a.refused != h.Hash
		a.refused = h.Hash
		return &HeaderRefusal{Missing: h.Missing, New: fresh}, changed
	}
	// An accepted header stays accepted until its columns are recorded with its first
	// row, even if other headers come in between.
	accepted, refused := h.Hash == a.accepted && len(fresh) == 0, h.Hash == a.refused
	changed = first || accepted || refused
	a.lists = lists
	if accepted {
		a.accepted = ""
	}
	if refused {
		a.refused = ""
	}
	return nil, changed
}

// acceptRefused accepts the header that halted the stream.
func (a *hiding) acceptRefused() { a.accepted, a.refused = a.refused, "" }

func (a *hiding) load(record ledger.Columns) {
	*a = hiding{lists: record.Hidden, refused: record.RefusedHeader, accepted: record.AcceptedHeader}
}

func (a *hiding) saveTo(record *ledger.Columns) {
	record.Hidden, record.RefusedHeader, record.AcceptedHeader = a.lists, a.refused, a.accepted
}

// CheckHeader accepts a header, or returns why it is refused until Resume accepts it.
// changed: the ledger must be written.
func (s *Stream) CheckHeader(h *Header) (refusal *HeaderRefusal, changed bool) {
	return s.hiding.check(h, s.Hidden, s.columns.accepted)
}

// withheld replaces the detail of a failure from before the stream hid columns: the
// detail may quote cells of an answer, and is shown in the ledger, the status and logs.
func withheld(code schema.Code) string {
	return string(code) + "; its detail is not shown, because the stream hides columns now; " + schema.RuleOf(code).Advice
}

func (s *stops) withholdDetail() {
	if s.halted != nil {
		halt := *s.halted
		halt.Detail = withheld(halt.Code)
		s.halted = &halt
	}
}

func (l days) withholdDetails() {
	for _, d := range l {
		if was := d.record.Error; was != nil {
			is := *was
			is.Detail = withheld(is.Code)
			d.record.Error, d.changed = &is, true
		}
	}
}
