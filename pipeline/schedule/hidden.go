package schedule

import (
	"fmt"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// Header is a header of a stream that hides columns, as the exports look at it before its first row.
type Header struct {
	Names   []string // as they arrived
	Listed  []string // the columns that are to be hidden
	Missing []string // those of them that the header lacks
	Hash    string   // of the names, which may be cells
}

// HeaderRefusal is why a header is refused: columns that are to be hidden are missing, and others are new. One of these may be a missing one,
// misspelt in the lists or renamed at the source.
type HeaderRefusal struct {
	Missing []string
	New     []int // places, from 1; nil: no header was accepted with these lists yet
}

// CheckHeader accepts a header, or says why it is refused until it is accepted by Resume. changed says that the ledger has to know.
func (s *State) CheckHeader(stream string, h *Header) (refusal *HeaderRefusal, changed bool) {
	st := s.stream(stream)
	c := &st.columns
	first := c.Hidden != st.Hidden
	known := setOf(h.Listed, c.Accepted)
	var fresh []int
	for i, name := range h.Names {
		if !known[name] {
			fresh = append(fresh, i+1)
		}
	}
	if len(h.Missing) > 0 && (first || len(fresh) > 0) && h.Hash != c.AcceptedHeader {
		if first {
			fresh = nil
		}
		changed = c.RefusedHeader != h.Hash
		c.RefusedHeader = h.Hash
		return &HeaderRefusal{Missing: h.Missing, New: fresh}, changed
	}
	// An accepted header stays accepted until its columns are, with its first row, whatever other headers are met before.
	accepted, refused := h.Hash == c.AcceptedHeader && len(fresh) == 0, h.Hash == c.RefusedHeader
	changed = first || accepted || refused
	c.Hidden = st.Hidden
	if accepted {
		c.AcceptedHeader = ""
	}
	if refused {
		c.RefusedHeader = ""
	}
	return nil, changed
}

// acceptHeader accepts the header that has halted the stream.
func (s *stream) acceptHeader() {
	if s.kept.Halted != nil && s.kept.Halted.Code == schema.PrivacyColumns {
		s.columns.AcceptedHeader, s.columns.RefusedHeader = s.columns.RefusedHeader, ""
	}
}

// withholdDetails removes the details of failures from before the stream hid columns: it may quote an answer, and the ledger, the status and logs
// repeat it.
func (s *stream) withholdDetails() {
	withheld := func(code schema.Code) string {
		return fmt.Sprintf("%s; what was said of it is not shown, because the stream hides columns now; %s", code, schema.RuleOf(code).Advice)
	}
	if was := s.kept.Halted; was != nil {
		is := *was
		is.Detail = withheld(is.Code)
		s.kept.Halted = &is
	}
	for _, d := range s.days {
		if was := d.record.Error; was != nil {
			is := *was
			is.Detail = withheld(is.Code)
			d.record.Error, d.changed = &is, true
		}
	}
}

// refuseKey halts a stream whose hidden cells have been hashed with another key: days must not be published again because a wrong file is mounted.
func (s *State) refuseKey(st *stream, former string, now time.Time) []Event {
	detail := fmt.Sprintf("cells were hashed with the key %s, and PRIVACY_KEY_FILE holds the key %s: %s", former, st.HiddenKey, schema.RuleOf(schema.PrivacyKey).Advice)
	st.kept.Halted = &ledger.Halt{Code: schema.PrivacyKey, Detail: detail, Since: now, Until: now}
	return []Event{{Kind: KeyRefused, Stream: st.Name, Code: schema.PrivacyKey, Detail: detail}}
}

// keyRefused reports whether the stream is halted until it is resumed, or started with its former key.
func (s *stream) keyRefused() bool {
	return s.kept.Halted != nil && s.kept.Halted.Code == schema.PrivacyKey
}

// KeyRefused reports whether the stream waits for its former key, or to be resumed.
func (s *State) KeyRefused(stream string) bool { return s.stream(stream).keyRefused() }

// AcceptKey begins to hash with the new key, for a stream that is resumed. It returns the days that start over.
func (s *State) AcceptKey(stream string, now time.Time) ([]schema.Day, []Event) {
	st := s.stream(stream)
	if !st.keyRefused() {
		return nil, nil
	}
	before := map[schema.Day]int{}
	for at, d := range st.days {
		before[at] = d.record.Generation
	}
	st.kept.Halted, st.kept.Identity = nil, st.identity()
	events := s.beginIdentity(st, now)
	var days []schema.Day
	for _, at := range st.inOrder() {
		if d := st.days[at]; d.record.Generation != before[at] {
			days = append(days, at)
		}
	}
	return days, events
}

func (s *stream) hadRows() bool {
	if s.kept.HasRows {
		return true
	}
	for _, d := range s.days {
		if d.record.Published > 0 {
			return true
		}
	}
	return false
}
