package transfer

import (
	"slices"
	"time"

	"dfinery-kafka/pipeline/deadletter"
	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

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

// observeBad numbers the letters of identical rows, and reports whether this one has been written. What is wrong with a row's content is wrong
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
