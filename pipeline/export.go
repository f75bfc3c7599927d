package pipeline

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
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
)

// export is one call and its rows' way into Kafka. It runs in a goroutine of its own; the loop holds it back by mu.
type export struct {
	tenure     *tenure
	stream     Stream
	senders    []appender // by partition
	dead       appender   // of the day's dead letters
	day        *day
	record     ledger.Day // as it was at the start
	call       schema.Export
	permit     Permit
	started    time.Time
	cutLetters []schema.Cut // cuts of the day that have a dead letter already

	// Set before the export is handed to ended.
	err      error // nil: a success; a *schema.Failure; or why Kafka did not take it
	took     time.Duration
	columns  *schema.Columns
	lettered bool  // the failure has got one
	repeated int64 // rows that repeat the header line

	// mu is held while rows are on their way. Who holds it finds every row either not begun or appended with all that follows
	// from it: that is what a checkpoint needs.
	mu    sync.Mutex        // also guards the day's rows
	sum   tally             // of the whole export
	saved tally             // what of it the ledger has
	lost  *ledger.LostError // what the ledger no longer has of the day's rows; nil once the day's record says so

	names   *names // nil for a userprofile
	charset string // to remember for the stream; empty: nothing
	quality badRows
	// replay is the replay that the rows are of; nil when they come from the source.
	replay  *replay
	letters replayRows          // to republish
	unclear []deadletter.Offset // those of them that may be published already

	live atomic.Pointer[tally] // sum as of a moment ago, for the status

	// Scratch memory of the rows under way.
	event   int // the column of the event's name, or -1
	ahead   ahead
	id      []byte
	value   rowValue
	headers recordHeaders
}

// appender takes the records of one partition: a *producer.Sender.
type appender interface {
	Append(key []byte, value recordbatch.Value, headers []recordbatch.Header) error
	TryFlush() bool
}

// appenders are the senders of a stream's partitions.
func appenders(senders []*producer.Sender) []appender {
	list := make([]appender, len(senders))
	for i, s := range senders {
		list[i] = s
	}
	return list
}

// tally counts the rows of an export.
type tally struct {
	Published, Duplicates int // good rows
	Bad, NewBad           int // rows that can't be published, and those of them without a dead letter yet
	Bytes                 int64
}

// Rows are the good ones.
func (a tally) Rows() int { return a.Published + a.Duplicates }

func (a tally) minus(b tally) tally {
	return tally{Published: a.Published - b.Published, Duplicates: a.Duplicates - b.Duplicates,
		Bad: a.Bad - b.Bad, NewBad: a.NewBad - b.NewBad, Bytes: a.Bytes - b.Bytes}
}

// rowValue is a row as the value of a record.
type rowValue struct {
	encoder encoding.Encoder
	row     *schema.Row
}

// Append implements recordbatch.Value.
func (v *rowValue) Append(dst []byte) ([]byte, error) { return v.encoder.Append(dst, v.row) }

// progressEvery is how many fetches pass between two updates of what the status shows.
const progressEvery = 4096 / together

// run makes the call and moves its rows; it hands the export back on the tenure's channel, whatever happens.
func (e *export) run(ctx context.Context) {
	if e.replay != nil {
		e.err = e.republish(ctx)
	} else {
		e.err = e.move(ctx)
	}
	if failure, ok := errors.AsType[*schema.Failure](e.err); ok && needsLetter(failure, e.cutLetters) {
		e.mu.Lock()
		e.lettered = true
		if err := e.deadLetter(schema.ExportLetter(failure, time.Now()), deadletter.ExportID(e.call)); err != nil {
			e.err = err
		}
		e.mu.Unlock()
	}
	e.took = time.Since(e.started)
	e.showProgress()
	e.tenure.ended <- e
}

// move is the rows' journey: fetch a few, tell each apart, append it.
func (e *export) move(ctx context.Context) (err error) {
	if err := e.begin(ctx); err != nil {
		e.permit.Cancel()
		return err
	}
	if typed, ok := e.value.encoder.(*typedEncoder); ok {
		if err := typed.verify(ctx); err != nil {
			e.permit.Cancel()
			return e.registryFailure(err)
		}
	}
	body, err := e.permit.Export(ctx, e.call)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // what came of the call is known by then
	defer func() { e.charset = body.Charset() }()
	e.columns = body.Columns()
	key := e.columns.Index(e.stream.Key)
	e.event = e.columns.Index(eventColumn)
	e.headers.setColumns(&e.stream.Headers, e.columns)
	defer e.sendWhenIdle(ctx)()
	defer func() { e.repeated = body.Request().RepeatedHeaders }()
	headed := false // the encoder knows the header: one without rows registers nothing
	for n := 1; ; n++ {
		stopped := e.ahead.fetch(body)
		if !headed && e.ahead.n > 0 && !e.call.Probe {
			if err := e.value.encoder.Header(ctx, e.columns); err != nil {
				return e.registryFailure(err)
			}
			headed = true
		}
		if err := e.publishFetched(body, key, stopped); err != nil {
			return e.end(err)
		}
		if n%progressEvery == 0 {
			e.showProgress()
		}
	}
}

// publishFetched publishes the rows that were fetched ahead, then looks at what stopped the fetching.
func (e *export) publishFetched(body Body, key int, stopped error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	prints := e.ahead.prints[:e.ahead.n]
	e.day.rows.Set.Prefetch(prints)
	for i, print := range prints {
		if err := e.takeOutcome(e.publish(e.ahead.row(i), print, key), body, len(prints)-1-i); err != nil {
			return err
		}
	}
	if stopped == nil {
		return nil
	}
	return e.takeOutcome(stopped, body, 0)
}

// takeOutcome takes a row that was published, or the *schema.BadRow that was not, and returns any other error. behind is how many rows after it
// were fetched already.
func (e *export) takeOutcome(err error, body Body, behind int) error {
	bad, isBad := errors.AsType[*schema.BadRow](err)
	switch {
	case err != nil && !isBad:
		return err
	case e.call.Probe:
		return nil // an export of its day finds its bad rows, too
	}
	return e.take(bad, body, behind)
}

// end takes what ended the rows: nil for the end of the body.
func (e *export) end(err error) error {
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
func (e *export) publish(row *schema.Row, print schema.Fingerprint, key int) error {
	k := row.Cell(key)
	if len(k) == 0 {
		bad := row.Bad(schema.EmptyKey, schema.OriginSchema, "the key column is empty", fmt.Sprintf("the key column %s is empty", e.stream.Key))
		id := print
		bad.Fingerprint = &id
		return bad
	}
	if e.call.Probe {
		e.sum.Duplicates++ // counted, never published
		return nil
	}
	e.sum.Bytes = row.Offset + int64(row.Size())
	rows := &e.day.rows
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
		e.names.meet(row.Cell(e.event))
	}
	return nil
}

// append appends one copy of a row to its partition. A *schema.BadRow is one that Kafka does not take, or that has no value.
func (e *export) append(row *schema.Row, key []byte, c dedup.Copy) error {
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
func (e *export) reject(bad *schema.BadRow, request schema.Request) error {
	e.sum.Bad++
	copyNumber, known := e.observeBad(bad)
	if known {
		return nil
	}
	letter := schema.RowLetter(e.call, bad, copyNumber, request, time.Now())
	if err := e.deadLetter(letter, schema.AppendID(nil, bad.Hash, copyNumber)); err != nil {
		return err
	}
	e.sum.NewBad++
	if e.day.rows.AddCopy(dedup.Copy{Fingerprint: bad.Hash, Number: copyNumber}) {
		e.askForCheckpoint()
	}
	e.tenure.service.counts.deadLetter(e.stream.Name, schema.KindRow, bad.Code)
	return nil
}

// observeBad tells the letters of identical rows apart, and whether this one has been written. What is wrong with a row's content is wrong
// with all its copies, so they are numbered by their hash. Kafka may refuse one copy and take another: its letter has the copy's own number.
func (e *export) observeBad(bad *schema.BadRow) (copyNumber int, known bool) {
	set := e.day.rows.Set
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
func (e *export) showProgress() {
	now := e.sum
	e.live.Store(&now)
}

// deadLetter appends a dead letter of whatever kind. The caller holds mu.
func (e *export) deadLetter(letter *schema.DeadLetter, id []byte) error {
	if err := deadletter.Write(e.dead, e.call, letter, id, e.tenure.service.Redact); err != nil {
		return err
	}
	e.tenure.service.recent.add(letter)
	return nil
}

// needsLetter reports whether a failure of the day still needs a dead letter. letters are the cuts that have one: a day has one of each.
func needsLetter(f *schema.Failure, letters []schema.Cut) bool {
	return f.Class != schema.Cancelled && f.Class != schema.Postponed && (f.Cut == "" || !slices.Contains(letters, f.Cut))
}
