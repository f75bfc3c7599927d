package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/deadletter"
	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/ledger/store"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
)

// Export is one call, or one replay, and its rows' way into Kafka. It runs in a goroutine of its own; the runner pauses it by mu.
type Export struct {
	Job
	runner  *shared
	stream  *Stream
	senders []Appender // by partition
	dead    Appender   // of the day's dead letters
	day     *Day

	// Set before the export is handed to Ended.
	Err      error // nil: a success; a *schema.Failure; or why Kafka did not take it
	Took     time.Duration
	Columns  *schema.Columns
	Lettered bool                // the failure has got one
	Repeated int64               // rows that repeat the header line
	header   *schema.Columns     // as it arrived; Columns are the public ones
	Charset  string              // to remember for the stream; empty: nothing
	Unclear  []deadletter.Offset // letters of the replay whose rows may be published already

	// mu is held while rows are on their way. Who holds it finds every row either not begun or appended with all that follows
	// from it: that is what a checkpoint needs.
	mu    sync.Mutex       // also guards the day's rows
	sum   Tally            // of the whole export
	saved Tally            // what of it the ledger has
	lost  *store.LostError // what the ledger no longer has of the day's rows; nil once the day's record says so

	names   *names // nil for a userprofile
	sought  soughtColumns
	quality badRows
	changes *changes // nil for other streams than those of changes
	// stillBad lists the bad rows; empty if they are too many.
	stillBad ledger.StillBad

	live atomic.Pointer[Tally] // sum as of a moment ago, for the status

	// Scratch memory of the rows under way.
	event      int // the column of the event's name, or -1
	prefetched prefetched
	key        recordKey
	id         []byte
	value      rowValue
	headers    recordHeaders
}

// Day is the day that the export is of.
func (e *Export) Day() ledger.DayName { return e.day.Name }

// Sum counts the rows. It is for an export that has ended.
func (e *Export) Sum() Tally { return e.sum }

// EventNames are the names of events that the export has met, with those known before, sorted; nil for a userprofile.
func (e *Export) EventNames(known []string) []string {
	e.names.add(known)
	return e.names.list()
}

// PropertiesMet are those of the job's properties that rows have had.
func (e *Export) PropertiesMet() []string { return e.sought.met }

// StillBad lists the bad rows of an export that has ended; nil if they are too many.
func (e *Export) StillBad() *ledger.StillBad {
	if e.sum.Bad > ledger.MaxStillBad {
		return nil
	}
	return &e.stillBad
}

// Appender takes the records of one partition: a *producer.Sender.
type Appender interface {
	Append(key []byte, value recordbatch.Value, headers []recordbatch.Header) error
	TryFlush() bool
}

// Tally counts the rows of an export.
type Tally struct {
	Published, Duplicates int // good rows
	Bad, NewBad           int // rows that can't be published, and those of them without a dead letter yet
	Deleted               int // profiles
	Bytes                 int64
}

// Rows are the good ones.
func (a Tally) Rows() int { return a.Published + a.Duplicates }

func (a Tally) minus(b Tally) Tally {
	return Tally{Published: a.Published - b.Published, Duplicates: a.Duplicates - b.Duplicates,
		Bad: a.Bad - b.Bad, NewBad: a.NewBad - b.NewBad, Deleted: a.Deleted - b.Deleted, Bytes: a.Bytes - b.Bytes}
}

// RowValue is the value of a record that is of a row.
type RowValue interface {
	recordbatch.Value
	Row() *schema.Row
}

// rowValue is a row as the value of a record.
type rowValue struct {
	encoder encoding.Encoder
	row     *schema.Row
}

// Append implements recordbatch.Value.
func (v *rowValue) Append(dst []byte) ([]byte, error) { return v.encoder.Append(dst, v.row) }

// Row implements RowValue.
func (v *rowValue) Row() *schema.Row { return v.row }

// progressEvery is how many fetches pass between two updates of what the status shows.
const progressEvery = 4096 / prefetchRows

// run makes the call and moves its rows; it hands the export back on the runner's channel, whatever happens.
func (e *Export) run(ctx context.Context) {
	if e.Replay != nil {
		e.Err = e.republish(ctx)
	} else {
		e.Err = e.move(ctx)
	}
	if e.changes != nil {
		e.Err = e.concludeSnapshot(ctx, e.Err)
	}
	if failure, ok := errors.AsType[*schema.Failure](e.Err); ok && needsLetter(failure, e.CutLetters) {
		e.mu.Lock()
		e.Lettered = true
		if err := e.deadLetter(schema.ExportLetter(failure, time.Now()), deadletter.ExportID(e.Call)); err != nil {
			e.Err = err
		}
		e.mu.Unlock()
	}
	e.Took = time.Since(e.Started)
	e.showProgress()
	e.runner.ended <- e
}

// move is the rows' journey: fetch a few, tell each apart, append it.
func (e *Export) move(ctx context.Context) (err error) {
	if err := e.begin(ctx); err != nil {
		e.Permit.Cancel()
		return err
	}
	if err := verify(ctx, e.value.encoder); err != nil {
		e.Permit.Cancel()
		return e.registryFailure(err)
	}
	if e.changes != nil {
		if err := e.scanTopic(ctx); err != nil {
			e.Permit.Cancel()
			return err
		}
	}
	body, err := e.Permit.Export(ctx, e.Call)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // what came of the call is known by then
	defer func() { e.Charset = body.Charset() }()
	if err := e.hide(ctx, body.Columns()); err != nil {
		return err
	}
	e.key.setColumns(e.stream.Key, e.Columns)
	e.event = e.Columns.Index(eventColumn)
	e.sought.begin(e.Properties, e.header, e.Columns, e.stream.Privacy)
	e.headers.setColumns(&e.stream.Headers, e.Columns)
	defer e.sendWhenIdle(ctx)()
	defer func() { e.Repeated = body.Request().RepeatedHeaders }()
	defer func() { e.observeEnd(body) }()
	headed := false // the encoder knows the header: one without rows registers nothing
	for n := 1; ; n++ {
		stopped := e.prefetched.fetch(body)
		if !headed && !e.Call.Probe && e.prefetched.hasRow(stopped) {
			if err := e.head(ctx); err != nil {
				return err
			}
			headed = true
		}
		if err := e.publishFetched(body, stopped); err != nil {
			return e.end(err)
		}
		if n%progressEvery == 0 {
			e.showProgress()
		}
	}
}

// publishFetched publishes the rows that were fetched ahead, then looks at what stopped the fetching.
func (e *Export) publishFetched(body Body, stopped error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	prints := e.prefetched.prints[:e.prefetched.n]
	e.day.Rows.Set.Prefetch(prints)
	for i, print := range prints {
		row := e.prefetched.row(i)
		if err := e.takeOutcome(e.publish(row, print), row, body, len(prints)-1-i); err != nil {
			return err
		}
	}
	if stopped == nil {
		return nil
	}
	return e.takeOutcome(stopped, nil, body, 0)
}

// takeOutcome takes a row that was published, or the *schema.BadRow that was not, and returns any other error. row is nil if it could not be
// read. behind is how many rows after it were fetched already.
func (e *Export) takeOutcome(err error, row *schema.Row, body Body, behind int) error {
	bad, isBad := errors.AsType[*schema.BadRow](err)
	switch {
	case err != nil && !isBad:
		return err
	case e.Call.Probe:
		return nil // an export of its day finds its bad rows, too
	}
	if isBad {
		e.withhold(bad, row)
	}
	return e.take(bad, body, behind)
}

// end takes what ended the rows: nil for the end of the body.
func (e *Export) end(err error) error {
	failure, failed := errors.AsType[*schema.Failure](err)
	if err != io.EOF && !failed || failed && (failure.Examples != nil || failure.Class == schema.Cancelled) {
		return err // Kafka's; or the rows that were held back are not to be dead letters, or not yet
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.release(); err != nil {
		return err
	}
	if err == io.EOF {
		return nil
	}
	return err
}

// publish appends the row to its partition unless it was published before. A *schema.BadRow is a row that can't be.
func (e *Export) publish(row *schema.Row, print schema.Fingerprint) error {
	k, empty := e.key.of(row)
	if empty != "" {
		bad := row.Bad(schema.EmptyKey, schema.OriginSchema, "the key column is empty", fmt.Sprintf("the key column %s is empty", empty))
		id := print
		bad.Fingerprint = &id
		return bad
	}
	if e.Call.Probe {
		e.sum.Duplicates++ // counted, never published
		return nil
	}
	e.sum.Bytes = row.Offset + int64(row.Size())
	e.sought.observe(row)
	if e.changes != nil {
		return e.publishChange(row, k, print)
	}
	rows := &e.day.Rows
	copyNumber, known := rows.Set.Observe(print)
	if known {
		e.sum.Duplicates++
		return nil
	}
	if err := e.append(row, k, dedup.Copy{Fingerprint: print, Number: copyNumber}); err != nil {
		if bad, ok := errors.AsType[*schema.BadRow](err); ok && bad.Origin == schema.OriginKafka {
			rows.Set.Skip(print)
		}
		return err
	}
	if rows.Add(print, copyNumber) {
		e.askForCheckpoint()
	}
	if e.names != nil && e.event >= 0 {
		e.names.observe(row.Cell(e.event))
	}
	return nil
}

// append appends one copy of a row to its partition. A *schema.BadRow is one that Kafka does not take, or that has no value.
func (e *Export) append(row *schema.Row, key []byte, c dedup.Copy) error {
	e.id = schema.AppendID(e.id[:0], c.Fingerprint, c.Number)
	e.value.row = row
	if err := e.senders[cluster.PartitionOf(key, len(e.senders))].Append(key, &e.value, e.headers.of(row, e.id)); err != nil {
		if bad, ok := errors.AsType[*schema.BadRow](err); ok { // the encoder's
			print := c.Fingerprint
			bad.Fingerprint = &print
			return bad
		}
		if large, ok := errors.AsType[*producer.TooLargeError](err); ok {
			bad := row.Bad(schema.TooLarge, schema.OriginKafka, "larger than the topic takes", large.Error())
			print := c.Fingerprint
			bad.Fingerprint, bad.Copy = &print, c.Number
			return bad
		}
		return err
	}
	e.sum.Published++
	return nil
}

// reject makes a dead letter of a row, unless it has one already.
func (e *Export) reject(bad *schema.BadRow, request schema.Request) error {
	e.sum.Bad++
	if e.sum.Bad <= ledger.MaxStillBad {
		e.stillBad.Add(bad.Hash)
	}
	copyNumber, known := e.observeBad(bad)
	if known {
		return nil
	}
	letter := schema.RowLetter(e.Call, bad, copyNumber, request, time.Now())
	if err := e.deadLetter(letter, schema.AppendID(nil, bad.Hash, copyNumber)); err != nil {
		return err
	}
	e.sum.NewBad++
	if e.day.Rows.AddCopy(dedup.Copy{Fingerprint: bad.Hash, Number: copyNumber}) {
		e.askForCheckpoint()
	}
	return nil
}

// observeBad tells the letters of identical rows apart, and whether this one has been written. What is wrong with a row's content is wrong
// with all its copies, so they are numbered by their hash. Kafka may refuse one copy and take another: its letter has the copy's own number.
func (e *Export) observeBad(bad *schema.BadRow) (copyNumber int, known bool) {
	set := e.day.Rows.Set
	if bad.Origin == schema.OriginKafka {
		return bad.Copy, set.Has(bad.Hash, bad.Copy)
	}
	copyNumber, known = set.Observe(bad.Hash)
	if !known {
		set.Skip(bad.Hash)
	}
	return copyNumber, known
}

// showProgress shows the status how far the export is.
func (e *Export) showProgress() {
	now := e.sum
	e.live.Store(&now)
}

// deadLetter appends a dead letter of whatever kind. The caller holds mu.
func (e *Export) deadLetter(letter *schema.DeadLetter, id []byte) error {
	if err := deadletter.Write(e.dead, e.Call, letter, id, e.runner.Redact); err != nil {
		return err
	}
	e.runner.Wrote(letter)
	return nil
}

// needsLetter reports whether a failure of the day still needs a dead letter. letters are the cuts that have one: a day has one of each.
func needsLetter(f *schema.Failure, letters []schema.Cut) bool {
	return f.Class != schema.Cancelled && f.Class != schema.Postponed && (f.Cut == "" || !slices.Contains(letters, f.Cut))
}
