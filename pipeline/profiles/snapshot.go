package profiles

import "dfinery-kafka/schema"

// Verdict is the result of comparing a row of a snapshot with the topic.
type Verdict int

// The verdicts.
const (
	Known     Verdict = iota // the topic has the row
	New                      // the topic has no row of the key
	Changed                  // the topic has another row of the key
	Again                    // the topic has the row, which must be published again
	Repeated                 // the snapshot already had the row
	Duplicate                // the snapshot already had another row of the key
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

// Compare looks up a row of the snapshot in the state of the topic. A row whose verdict has
// an Op counts as published, unless Refused is called.
func (s *Scan) Compare(key []byte, fingerprint schema.Fingerprint) Verdict {
	slot, id := s.State.put(HashKey(s.seed, key)), shortID(fingerprint)
	if slot.seen() {
		if slot.id() == id {
			return Repeated
		}
		return Duplicate
	}
	slot.see()
	var verdict Verdict
	switch k := slot.kind(); {
	case k == noValue || k == otherStream:
		verdict = New
	case k == own && slot.id() == id:
		return Known
	case k == unknownWriter || slot.id() == id:
		verdict = Again
	default:
		verdict = Changed
	}
	slot.set(own, id)
	return verdict
}

// Refused records that the row of a key could not be published: the topic still has
// the key's previous row. The key is nevertheless present in the snapshot.
func (s *Scan) Refused(key []byte, v Verdict) {
	if v != New {
		return
	}
	if slot := s.State.find(HashKey(s.seed, key)); slot != nil {
		slot.set(noValue, slot.id())
	}
}

// present reports whether the snapshot already had a row of the key.
func (s *Scan) present(h Hash) bool {
	slot := s.State.find(h)
	return slot != nil && slot.seen()
}
