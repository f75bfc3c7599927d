package schema

import (
	"fmt"
	"strconv"
	"strings"
)

// Kind is one of the two exports of the API. Its text is also the last element of the API's path.
type Kind string

// The kinds of export.
const (
	Event       Kind = "event"
	UserProfile Kind = "userprofile"
)

// Snapshot reports whether an export of this kind is a snapshot of today. Such a stream has no
// earlier days: no start, lookback or gaps. An export of the other kind contains the events of
// one day.
func (k Kind) Snapshot() bool { return k == UserProfile }

// Filter restricts an export by the filters of the API. At most one of Events and
// ExcludeEvents, and of Properties and ExcludeProperties, is set.
type Filter struct {
	Events, ExcludeEvents         []string
	Properties, ExcludeProperties []string
	Audience                      string // a userprofile export's audience id; empty means all users
	Identities                    string // a userprofile export's identities_condition_type; empty: it is not sent
}

// UTF8 and ASCII are the charsets that an answer need not declare. See Export.Charset.
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
	Key     Key // a header that lacks its columns is refused
	Day     Day // for a userprofile the date of its snapshot
	N       int // counts the exports of this day, including failed ones, from 1
	Attempt int // counts the calls since the day's last success, from 1
	// Slice marks one slice of a day that is exported in slices of events: its failures say
	// nothing about the service.
	Slice bool
	// Probe requests one more day, to find out whether to_date is exclusive. Its rows are never
	// published.
	Probe bool
	// Charset is the charset of the stream's published rows: empty if there are none, us-ascii
	// if they contain only ASCII.
	Charset string
	// Private, if set, means that the stream hides cells: no text of the API's answers may be
	// shown, not even in a failure, and lines are identified by a hash that can't be compared
	// with guesses. KeepBody keeps the copy of the answer in a failure nevertheless.
	Private  LineHasher
	KeepBody bool
	// MayBeEmpty means that an answer listed in DFINERY_EMPTY_DAY is accepted as a day without
	// events.
	MayBeEmpty bool
}

// LineHasher hashes lines of a body.
type LineHasher interface {
	LineHash(line []byte) Fingerprint
}

// PlainLines hashes lines without a key, so that a guessed line can be confirmed by its hash.
type PlainLines struct{}

// LineHash implements LineHasher.
func (PlainLines) LineHash(line []byte) Fingerprint { return BadFingerprint(line) }

// DayKey identifies the export's day: SERVICE/STREAM/DAY, the key of its dead letters.
func (e Export) DayKey() string { return e.Service + "/" + e.Stream + "/" + e.Day.String() }

// ID identifies the export: SERVICE/STREAM/DAY/N, the record header "export".
func (e Export) ID() string { return e.DayKey() + "/" + strconv.Itoa(e.N) }

func (e Export) String() string { return fmt.Sprintf("export %s %s", e.Stream, e.Day) }

// ExportName is the parsed record header "export".
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
