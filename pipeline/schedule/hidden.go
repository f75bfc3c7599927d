package schedule

import (
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// Header is a header of a stream that hides columns, as the exports look at it before
// its first row.
type Header struct {
	Names   []string // as they arrived
	Listed  []string // the columns that are to be hidden
	Missing []string // those of them that the header lacks
	Hash    string   // of the names, which may be cells
}

// HeaderRefusal is why a header is refused: columns that are to be hidden are missing,
// and others are new. One of these may be a missing one, misspelt in the lists or
// renamed at the source.
type HeaderRefusal struct {
	Missing []string
	New     []int // places, from 1; nil: no header was accepted with these lists yet
}

// hiding is which headers are accepted, of a stream that hides columns.
type hiding struct {
	lists    string // of hidden columns, with which a header was accepted
	refused  string // the hash of the header that has halted the stream
	accepted string // the hash of one that is accepted as it is, because the stream was resumed
}

// check accepts a header, or says why it is refused. lists are those of the
// configuration, columns those that the stream had; changed says that the ledger has to
// know.
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
	// An accepted header stays accepted until its columns are, with its first row,
	// whatever other headers are met before.
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

// acceptRefused accepts the header that has halted the stream.
func (a *hiding) acceptRefused() { a.accepted, a.refused = a.refused, "" }

func (a *hiding) load(record ledger.Columns) {
	*a = hiding{lists: record.Hidden, refused: record.RefusedHeader, accepted: record.AcceptedHeader}
}

func (a *hiding) enter(record *ledger.Columns) {
	record.Hidden, record.RefusedHeader, record.AcceptedHeader = a.lists, a.refused, a.accepted
}

// CheckHeader accepts a header, or says why it is refused until it is accepted by
// Resume. changed says that the ledger has to know.
func (s *Stream) CheckHeader(h *Header) (refusal *HeaderRefusal, changed bool) {
	return s.hiding.check(h, s.Hidden, s.columns.accepted)
}

// withheld replaces the detail of a failure from before the stream hid columns: it may
// quote an answer, and the ledger, the status and logs repeat it.
func withheld(code schema.Code) string {
	return string(code) + "; what was said of it is not shown, because the stream hides columns now; " + schema.RuleOf(code).Advice
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
