package schema

import (
	"fmt"
	"strconv"
	"strings"
)

// Kind is one of the two exports that the API offers; its text is also the last part of the API's path.
type Kind string

// The kinds of export.
const (
	Event       Kind = "event"
	UserProfile Kind = "userprofile"
)

// Snapshot reports whether an export of this kind is a snapshot of today. Such a stream has no days to go back to: no start, lookback or
// gap. An export of the other kind has one day's events.
func (k Kind) Snapshot() bool { return k == UserProfile }

// Filter narrows an export as the API allows. At most one of Events and ExcludeEvents, and of Properties and ExcludeProperties, is set.
type Filter struct {
	Events, ExcludeEvents         []string
	Properties, ExcludeProperties []string
	Audience                      string // a userprofile export's audience id; empty means every user
	Identities                    string // a userprofile export's identities_condition_type; empty: it is not sent
}

// UTF8 and ASCII are the names of charsets that no answer has to declare. See Export.Charset.
const (
	UTF8  = "utf-8"
	ASCII = "us-ascii"
)

// Export is one call of the Export API.
type Export struct {
	Service string
	Stream  string
	Kind    Kind
	Filter  Filter
	Key     Key // a header without its columns is refused
	Day     Day // for a userprofile the date of its snapshot
	N       int // counts the exports of this day, failed ones too, from 1
	Attempt int // counts the calls since the day's last success, from 1
	// Slice marks a part of a day that is exported in slices of events: its failures say nothing about the service.
	Slice bool
	// Probe asks for one day more than configured, to find out whether to_date is exclusive. Its rows are never published.
	Probe bool
	// Charset names what the stream's published rows were read in: empty when it has none, us-ascii when they had nothing else.
	Charset string
	// Private, if set, says that the stream hides cells: nothing that the API answers may be told, not even in a failure, and a line is known by
	// a hash that can't be compared with guesses. KeepBody keeps the answer's copy in a failure all the same.
	Private  LineHasher
	KeepBody bool
	// MayBeEmpty says that an answer that DFINERY_EMPTY_DAY names means a day without events.
	MayBeEmpty bool
}

// LineHasher hashes lines of a body.
type LineHasher interface {
	LineHash(line []byte) Fingerprint
}

// PlainLines hashes lines without a key: a guessed line can be confirmed by its hash.
type PlainLines struct{}

// LineHash implements LineHasher.
func (PlainLines) LineHash(line []byte) Fingerprint { return BadFingerprint(line) }

// DayKey names the export's day: SERVICE/STREAM/DAY, the key of its dead letters.
func (e Export) DayKey() string { return e.Service + "/" + e.Stream + "/" + e.Day.String() }

// ID names the export: SERVICE/STREAM/DAY/N, the record header "export".
func (e Export) ID() string { return e.DayKey() + "/" + strconv.Itoa(e.N) }

func (e Export) String() string { return fmt.Sprintf("export %s %s", e.Stream, e.Day) }

// ExportName is what a record's header "export" says.
type ExportName struct {
	Service, Stream string
	Day             Day
	N               int
}

// ParseExportID is the inverse of Export.ID.
func ParseExportID(id string) (ExportName, error) {
	parts := strings.Split(id, "/")
	if len(parts) != 4 {
		return ExportName{}, fmt.Errorf("%q is not of the form SERVICE/STREAM/DAY/N", id)
	}
	day, err := ParseDay(parts[2])
	if err != nil {
		return ExportName{}, err
	}
	n, err := strconv.Atoi(parts[3])
	if err != nil {
		return ExportName{}, fmt.Errorf("%q is not of the form SERVICE/STREAM/DAY/N: %w", id, err)
	}
	return ExportName{Service: parts[0], Stream: parts[1], Day: day, N: n}, nil
}
