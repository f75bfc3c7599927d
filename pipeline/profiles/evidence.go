package profiles

import (
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// Why is why a snapshot does not prove which profiles are absent; empty if it does.
type Why string

// The reasons, in the order of the checks.
const (
	NotEnded       Why = "not_ended"       // the export failed
	UnprovenEnd    Why = "unproven_end"    // the answer ended with its connection
	NoRows         Why = "no_rows"         // no good row
	UnreadableRows Why = "unreadable_rows" // bad rows whose keys are unreliable
	RepeatedKeys   Why = "repeated_keys"   // a key occurred twice
	RequestChanged Why = "request_changed" // the request differs from the previous one
	OverCeiling    Why = "over_ceiling"    // more are absent than may be deleted within a week
)

// Meaning describes the reason.
func (w Why) Meaning(stream string) string {
	switch w {
	case NotEnded:
		return "the last export failed"
	case UnprovenEnd:
		return "the answer ended with its connection, which does not prove that it is complete"
	case NoRows:
		return "the last snapshot has no good row"
	case UnreadableRows:
		return "the last snapshot has rows whose keys can't be read"
	case RepeatedKeys:
		return "the last snapshot has keys twice, so others may be missing"
	case RequestChanged:
		return "the request differs from the previous one"
	case OverCeiling:
		return "more are absent than " + schema.StreamVariable(stream, "DELETE_MOST") + " allows to delete within 7 days"
	}
	return string(w)
}

// Advice is what to do about deletes of a stream that are withheld for this reason.
func (w Why) Advice(stream string) string {
	approve := "dfinery-kafka profiles approve " + stream
	switch w {
	case OverCeiling:
		return "find out whether these profiles really no longer exist; if so, " + approve
	case UnreadableRows:
		return "have the source corrected for the rows that dfinery-kafka dlq list --kind row shows; if that is not possible and the profiles really no longer exist, " + approve
	case RepeatedKeys:
		return "nothing, unless it persists: then ask DFINERY why the snapshot has keys twice"
	case UnprovenEnd:
		return "nothing, unless it persists: then make the proxies between here and the API keep the answer's length, chunks or compression"
	case NoRows:
		return "nothing, unless it persists: then check the stream's audience"
	case RequestChanged:
		return "nothing: the next snapshots have the same request"
	case NotEnded:
	}
	return "nothing, unless it persists: then find out why the exports fail"
}

// Approvable reports whether an approval permits deletes that are withheld for this reason.
func (w Why) Approvable() bool { return w == "" || w == OverCeiling || w == UnreadableRows }

// Evidence is what a snapshot shows about its own completeness.
type Evidence struct {
	Ended      bool // the answer ended properly
	Framed     bool // its framing proves the end: length, last chunk, END_STREAM or gzip trailer
	Rows       int  // good rows
	Unreadable int  // rows of which Unreadable is true
	Repeated   int  // rows with a key that occurred before
	Request    string
}

// Unreadable reports whether the key of a bad row is unreliable: a row that is shifted or
// merged with another may show a wrong key, or none.
func Unreadable(b *schema.BadRow) bool {
	switch b.Code {
	case schema.FieldCount, schema.BadQuotes, schema.InvalidUTF8:
		return true
	case schema.TooLarge:
		return b.Origin != schema.OriginKafka
	}
	return false
}

// whyInconclusive returns why the snapshot proves nothing, apart from the ceiling.
func (e *Evidence) whyInconclusive(former string) Why {
	switch {
	case !e.Ended:
		return NotEnded
	case !e.Framed:
		return UnprovenEnd
	case e.Rows == 0:
		return NoRows
	case e.Unreadable > 0:
		return UnreadableRows
	case e.Repeated > 0:
		return RepeatedKeys
	case former != "" && former != e.Request:
		return RequestChanged
	}
	return ""
}

// Window is the time over which deletes are limited.
const Window = 7 * 24 * time.Hour

// Ceiling is how many profiles may be deleted within Window.
func Ceiling(profiles int, most float64) int {
	return min(max(10, int(most*float64(profiles))), profiles/2)
}

// recentlyDeleted is how many profiles were deleted, or are about to be, within Window.
func recentlyDeleted(list []ledger.Deletion, now time.Time) int {
	n := 0
	for _, d := range list {
		if now.Sub(d.At) < Window {
			n += d.N
		}
	}
	return n
}
