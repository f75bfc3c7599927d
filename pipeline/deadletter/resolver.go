package deadletter

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/ledger/store"
	"dfinery-kafka/schema"
)

// Resolution is whether a dead letter still needs action.
type Resolution string

// The resolutions. If the ledger no longer has the information it is Unknown, which is treated
// as open.
const (
	Resolved Resolution = "resolved"
	Open     Resolution = "open"
	Unknown  Resolution = "unknown"
)

// Resolver determines whether dead letters are resolved, using the ledger at the time
// when the Resolver was made. It uses 32 bytes for each letter of a row that may be
// published. It is not safe for concurrent use.
type Resolver struct {
	stored   *store.Ledger
	days     map[ledger.DayName]ledger.Day
	expected map[ledger.DayName]*expectedRows
	changes  map[string]int // by stream that publishes changes: the number of its last export
}

// expectedRows are the rows of a day to which letters refer.
type expectedRows struct {
	rows      []dedup.Copy // sorted once they were looked up
	published []bool       // of rows; nil until they are looked up
	lost      bool         // some of the day's fingerprints are missing from the ledger, or may not be read
}

// NewResolver reads the ledger's days.
func NewResolver(ctx context.Context, stored *store.Ledger) (*Resolver, error) {
	state, err := stored.Load(ctx)
	if err != nil {
		return nil, err
	}
	r := &Resolver{stored: stored, days: map[ledger.DayName]ledger.Day{}, expected: map[ledger.DayName]*expectedRows{}, changes: map[string]int{}}
	for name := range state.Days {
		r.days[name] = state.Confirmed(name, stored.Rows)
	}
	if state.Service != nil {
		for stream, profiles := range state.Service.Profiles {
			r.changes[stream] = profiles.N
		}
	}
	return r, nil
}

// Knows reports whether the ledger has any day. Otherwise every letter is Unknown.
func (r *Resolver) Knows() bool { return r != nil && len(r.days) > 0 }

// Expect announces a letter. Resolution then looks up all rows of a day at once.
func (r *Resolver) Expect(l *Letter) error {
	name := ledger.DayName{Stream: l.Stream, Day: l.Day}
	day, known := r.days[name]
	row, ok := rowOf(l)
	if !known || !ok || rowIsGone(l, &day) {
		return nil
	}
	e := r.expected[name]
	if e == nil {
		e = new(expectedRows)
		r.expected[name] = e
	}
	e.rows = append(e.rows, row)
	return nil
}

// rowOf returns the row that the letter identifies. It checks the letter, as anyone may write
// letters.
func rowOf(l *Letter) (c dedup.Copy, ok bool) {
	if l.Kind != schema.KindRow || l.Row == nil || l.Row.ID == "" {
		return c, false
	}
	var err error
	c.Fingerprint, c.Number, err = schema.ParseID([]byte(l.Row.ID))
	return c, err == nil
}

// Resolution returns the resolution of a letter passed to Expect before. With a nil Resolver it
// is Unknown.
func (r *Resolver) Resolution(ctx context.Context, l *Letter) (Resolution, error) {
	if r == nil {
		return Unknown, nil
	}
	name := ledger.DayName{Stream: l.Stream, Day: l.Day}
	day, known := r.days[name]
	if !known {
		return Unknown, nil
	}
	if l.Kind == schema.KindExport {
		if ofSnapshot(&l.DeadLetter) {
			day = r.latest(l.Stream, l.Day)
		}
		return exportResolution(&l.DeadLetter, &day), nil
	}
	if rowIsGone(l, &day) {
		return Resolved, nil
	}
	row, ok := rowOf(l)
	if !ok {
		return unpublished(l, &day, l.Error.Origin != schema.OriginCSV), nil
	}
	e := r.expected[name]
	if e == nil {
		return Unknown, nil
	}
	if err := r.lookUp(ctx, name, &day, e); err != nil {
		return Unknown, err
	}
	if i, found := slices.BinarySearchFunc(e.rows, row, compareRows); found && e.published[i] {
		return Resolved, nil
	}
	return unpublished(l, &day, e.lost), nil
}

// ofSnapshot reports whether a letter is of a snapshot. A later one contains
// all its rows.
func ofSnapshot(l *schema.DeadLetter) bool {
	path, _, _ := strings.Cut(l.Request.URL, "?")
	return schema.Kind(path[strings.LastIndexByte(path, '/')+1:]).Snapshot()
}

// latest is the last exported day of the stream from day on; day itself if there is
// none.
func (r *Resolver) latest(stream string, from schema.Day) ledger.Day {
	last := r.days[ledger.DayName{Stream: stream, Day: from}]
	for name, day := range r.days {
		if name.Stream == stream && name.Day > from && day.LastSuccess != nil && (last.LastSuccess == nil || day.LastSuccess.After(*last.LastSuccess)) {
			last = day
		}
	}
	return last
}

// exportResolution is the resolution of a failed call: it is resolved by a later
// successful call for the day, unless the day still lacks what the failed call
// requested.
func exportResolution(l *schema.DeadLetter, day *ledger.Day) Resolution {
	lacks := func(event string) bool { return slices.Contains(day.MissingEvents, event) }
	if day.LastSuccess == nil || !day.LastSuccess.After(l.FailedAt) || slices.ContainsFunc(l.Error.Events, lacks) {
		return Open
	}
	return Resolved
}

// rowIsGone reports whether a later complete export of the day had no such bad row.
// Letters of identical rows are numbered, except for rows that Kafka refuses: one
// of these may be published and another not.
func rowIsGone(l *Letter, day *ledger.Day) bool {
	hash, copyNumber, err := schema.ParseID([]byte(l.ID))
	if day.StillBad == nil || l.Export >= day.StillBad.Export || err != nil {
		return false
	}
	rows := day.StillBad.Count(hash)
	return rows == 0 || l.Error.Origin != schema.OriginKafka && copyNumber >= rows
}

// unpublished is the resolution of a row that is not known to be published. A
// letter of an earlier generation is older than the day's fingerprints.
func unpublished(l *Letter, day *ledger.Day, lost bool) Resolution {
	if lost || l.Export < day.From {
		return Unknown
	}
	return Open
}

// lookUp determines which of the expected rows are published, unless already known.
func (r *Resolver) lookUp(ctx context.Context, name ledger.DayName, day *ledger.Day, e *expectedRows) error {
	if e.published != nil {
		return nil
	}
	slices.SortFunc(e.rows, compareRows)
	e.rows = slices.Clip(slices.Compact(e.rows))
	wanted := func(f schema.Fingerprint) bool {
		i, found := slices.BinarySearchFunc(e.rows, dedup.Copy{Fingerprint: f}, compareRows)
		return found || i < len(e.rows) && e.rows[i].Fingerprint == f
	}
	if n, changes := r.changes[name.Stream]; changes && day.Exports <= n {
		all := *day
		all.Published, day = 0, &all // the ledger has fingerprints of bad rows only: the topic shows the others
	}
	set, err := r.stored.LoadSome(ctx, name, day, wanted)
	if cluster.Forbidden(err) || cluster.Missing(err) {
		set, err, e.lost = new(dedup.Set), nil, true
	}
	if _, lost := errors.AsType[*store.LostError](err); lost {
		err, e.lost = nil, true
	}
	if err != nil {
		return fmt.Errorf("find out whether dead letters are resolved: %w", err)
	}
	e.published = make([]bool, len(e.rows))
	for i, row := range e.rows {
		e.published[i] = set.Has(row.Fingerprint, row.Number)
	}
	return nil
}

func compareRows(a, b dedup.Copy) int {
	return cmp.Or(bytes.Compare(a.Fingerprint[:], b.Fingerprint[:]), cmp.Compare(a.Number, b.Number))
}
