package transfer

import (
	"slices"
	"time"

	"dfinery-kafka/pipeline/deadletter"
	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// letters makes the dead letters of an export: of its failure, and of its bad rows once
// it is known that these are few. The caller holds the export's mu.
type letters struct {
	runner   *shared
	call     *schema.Export
	out      Appender   // of the day
	rows     *dedup.Day // has those that were written
	sum      *Tally     // of the export
	quality  badRows
	stillBad ledger.StillBad // lists the bad rows; the first ones if they are too many
}

// take counts a row that was published, or is the *schema.BadRow bad, and refuses the
// export when too many are bad. behind is how many rows after it the body has returned
// already.
func (l *letters) take(bad *schema.BadRow, body Body, behind int) error {
	b := &l.quality
	b.observe(bad)
	if b.tooMany() {
		return b.failure(l.call, body.Request())
	}
	if bad != nil {
		request := body.Request()
		request.Rows -= int64(behind)
		if !b.holds(bad) {
			return l.reject(bad, request)
		}
		b.held = append(b.held, heldRow{bad, request})
		b.size += len(bad.Raw)
	}
	if b.rows == judgedFrom || b.size > mostHeldBad {
		return l.release()
	}
	return nil
}

// release makes dead letters of the rows that were held back.
func (l *letters) release() error {
	b := &l.quality
	held := b.held
	b.held, b.size, b.released = nil, 0, true
	for _, row := range held {
		if err := l.reject(row.bad, row.request); err != nil {
			return err
		}
	}
	return nil
}

// reject writes a dead letter of a row, unless it already has one.
func (l *letters) reject(bad *schema.BadRow, request schema.Request) error {
	l.sum.Bad++
	if l.sum.Bad <= ledger.MaxStillBad {
		l.stillBad.Add(bad.Hash)
	}
	copyNumber, known := l.number(bad)
	if known {
		return nil
	}
	letter := schema.RowLetter(*l.call, bad, copyNumber, request, time.Now())
	if err := l.write(letter, schema.AppendID(nil, bad.Hash, copyNumber)); err != nil {
		return err
	}
	l.sum.NewBad++
	if l.rows.AddCopy(dedup.Copy{Fingerprint: bad.Hash, Number: copyNumber}) {
		l.runner.countChunk()
	}
	return nil
}

// number numbers the letters of identical rows, and reports whether this one has been
// written. What is wrong with a row's content is wrong with all its copies, so they are
// numbered by their hash. Kafka may refuse one copy and take another: its letter has
// the copy's own number.
func (l *letters) number(bad *schema.BadRow) (copyNumber int, known bool) {
	set := l.rows.Set
	if bad.Origin == schema.OriginKafka {
		return bad.Copy, set.Has(bad.Hash, bad.Copy)
	}
	copyNumber, known = set.Observe(bad.Hash)
	if !known {
		set.Skip(bad.Hash)
	}
	return copyNumber, known
}

// write appends a dead letter of whatever kind.
func (l *letters) write(letter *schema.DeadLetter, id []byte) error {
	if err := deadletter.Write(l.out, *l.call, letter, id, l.runner.Redact); err != nil {
		return err
	}
	l.runner.Wrote(letter)
	return nil
}

// needsLetter reports whether a failure of the day still needs a dead letter. letters
// are the kinds of cut that have one: a day has one of each.
func needsLetter(f *schema.Failure, letters []schema.Cut) bool {
	return f.Class != schema.Cancelled && f.Class != schema.Postponed && (f.Cut == "" || !slices.Contains(letters, f.Cut))
}
