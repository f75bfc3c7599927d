package ledger

import (
	"bytes"

	"dfinery-kafka/schema"
)

// MaxStillBad is the maximum number of bad rows in a day's record.
const MaxStillBad = 2048

// StillBad lists the bad rows of the last complete export of a day. It shows which of
// the day's dead letters are of rows that the source has corrected or removed.
type StillBad struct {
	Export int `json:"export"` // the export's number
	// Hashes are the first badHashSize bytes of the hash of each bad row.
	Hashes []byte `json:"hashes,omitempty"`

	unknown
}

// badHashSize is enough to distinguish the bad rows of a day.
const badHashSize = 8

// Add adds a row.
func (s *StillBad) Add(hash schema.Fingerprint) { s.Hashes = append(s.Hashes, hash[:badHashSize]...) }

// Count is how many rows have the hash.
func (s *StillBad) Count(hash schema.Fingerprint) int {
	n := 0
	for b := s.Hashes; len(b) >= badHashSize; b = b[badHashSize:] {
		if bytes.Equal(b[:badHashSize], hash[:badHashSize]) {
			n++
		}
	}
	return n
}
