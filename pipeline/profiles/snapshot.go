package profiles

import "dfinery-kafka/schema"

// Verdict is what follows from a row of a snapshot.
type Verdict int

// The verdicts.
const (
	Known     Verdict = iota // the topic has the row
	New                      // the topic has no row of the key
	Changed                  // the topic has another row of the key
	Again                    // the topic has the row, and it is to be published again
	Repeated                 // the snapshot has had the row
	Duplicate                // the snapshot has had another row of the key
)

// Op is the header "op" of a row that is published; empty for other verdicts.
func (v Verdict) Op() string {
	switch v {
	case New:
		return "c"
	case Changed:
		return "u"
	case Again:
		return "r"
	case Known, Repeated, Duplicate:
	}
	return ""
}

// OpDelete is the header "op" of a tombstone.
const OpDelete = "d"

// Meet takes a row of the snapshot. A row that has an Op counts as published:
// see Refused.
func (s *Scan) Meet(key []byte, print schema.Fingerprint) Verdict {
	slot, id := s.State.put(HashKey(s.seed, key)), shortID(print)
	if slot.seen() {
		if slot.id() == id {
			return Repeated
		}
		return Duplicate
	}
	slot.see()
	var verdict Verdict
	switch k := slot.kind(); {
	case k == gone || k == foreign:
		verdict = New
	case k == own && slot.id() == id:
		return Known
	case k == alien || slot.id() == id:
		verdict = Again
	default:
		verdict = Changed
	}
	slot.set(own, id)
	return verdict
}

// Refused says that the row of a key could not be published: what the topic had
// of the key, it still has. The key was met all the same.
func (s *Scan) Refused(key []byte, v Verdict) {
	if v != New {
		return
	}
	if slot := s.State.find(HashKey(s.seed, key)); slot != nil {
		slot.set(gone, slot.id())
	}
}

// met reports whether the snapshot has had a row of the key.
func (s *Scan) met(h Hash) bool {
	slot := s.State.find(h)
	return slot != nil && slot.seen()
}
