package transfer

import (
	"fmt"

	"dfinery-kafka/schema"
)

const (
	// judgedFrom is the minimum number of rows from which an export can have too many
	// bad rows.
	judgedFrom = 1000
	// mostExamples is how many bad rows the dead letter of such an export shows.
	mostExamples = 10
	// mostHeldBad limits the memory of bad rows that are held back until then. Beyond
	// it they become dead letters at once.
	mostHeldBad = 1 << 20
)

// badRows determines whether too many rows of an export are bad. Until there are enough
// rows to decide, their dead letters are held back: an export in a wrong encoding is
// one dead letter, not a thousand. The zero value has no limit.
type badRows struct {
	share    float64 // maximum share of bad rows
	limited  bool
	rows     int // so far, good and bad
	bad      int // that count
	invalid  int // of those, the ones that are not UTF-8
	examples []*schema.BadRow
	held     []heldRow
	size     int  // of held
	released bool // nothing is held back any more
}

// heldRow is a bad row without a dead letter so far.
type heldRow struct {
	bad     *schema.BadRow
	request schema.Request // at that time
}

// counts reports whether a row is bad because of how the source wrote it. A row without
// key, or one that Kafka refuses, says nothing about the export.
func counts(code schema.Code) bool {
	return code == schema.InvalidUTF8 || code == schema.FieldCount || code == schema.BadQuotes || code == schema.BadValue
}

// observe counts a row; bad is nil for a good one.
func (b *badRows) observe(bad *schema.BadRow) {
	b.rows++
	if bad == nil || !counts(bad.Code) {
		return
	}
	b.bad++
	if bad.Code == schema.InvalidUTF8 {
		b.invalid++
	}
	if len(b.examples) < mostExamples {
		b.examples = append(b.examples, bad)
	}
}

// tooMany reports whether the export must be refused.
func (b *badRows) tooMany() bool {
	return b.limited && b.bad > 0 && b.rows >= judgedFrom && float64(b.bad) > b.share*float64(b.rows)
}

// holds reports whether a bad row must be held back until there are enough rows.
func (b *badRows) holds(bad *schema.BadRow) bool { return b.limited && !b.released && counts(bad.Code) }

// failure is that of an export with too many bad rows. Those that were held back are in
// no dead letter but its.
func (b *badRows) failure(call *schema.Export, request schema.Request) *schema.Failure {
	code := schema.BadRows
	if 2*b.invalid > b.bad {
		code = schema.BadEncoding
	}
	setting := schema.StreamVariable(call.Stream, "MAX_BAD")
	message := fmt.Sprintf("%d of the first %d rows are bad, more than %s=%.4g%% allows", b.bad, b.rows, setting, 100*b.share)
	f := call.Failure(code, schema.OriginCSV, message+", for example "+b.examples[0].Detail)
	f.Status, f.Message, f.Examples, f.Request, f.Redacted = 200, message, b.examples, request, b.examples[0].Redacted
	return f
}
