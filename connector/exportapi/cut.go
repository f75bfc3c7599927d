package exportapi

import (
	"fmt"

	"dfinery-kafka/connector/csv"
	"dfinery-kafka/schema"
)

// A body that ended correctly according to HTTP may still be cut, as its content shows. The
// fault is then in this day's answer, not in the connection to the API, so these failures have
// the class schema.Truncated.

// cutIn returns the failure of a body that is cut at the line just read, which is the header or
// a row, good or bad; nil if it is not cut.
func (b *Body) cutIn(bad *schema.BadRow) *schema.Failure {
	switch {
	case !b.reader.Unterminated():
		if bad != nil && b.reader.TooFew(bad) && b.reader.Last() {
			return b.tooFew()
		}
		return nil
	case bad != nil && (b.reader.MaybeTorn(bad) || b.reader.TooFew(bad)):
		return b.noNewline("")
	}
	b.learn(true)
	if b.call.lineEnds.ended(b.call.export, b.reader.Raw(), b.reader.Line()) {
		return nil
	}
	return b.noNewline(" (DFINERY_FINAL_NEWLINE=optional accepts such a line as complete)")
}

func (b *Body) noNewline(hint string) *schema.Failure {
	return b.truncated(schema.NoNewline, cause{code: schema.MaybeTorn, origin: schema.OriginTransport, message: "the last line has no newline",
		happened: fmt.Sprintf("the body ended without a newline after %d rows, so its last line may be cut%s", b.Rows(), hint)})
}

func (b *Body) tooFew() *schema.Failure {
	return b.truncated(schema.TooFewFields, cause{code: schema.MaybeTorn, origin: schema.OriginCSV, message: "the last line has too few fields",
		happened: fmt.Sprintf("the last line, after %d rows, has fewer fields than the header: the body is cut, or other text follows its rows", b.Rows())})
}

func (b *Body) openQuote(e *csv.OpenQuoteError) *schema.Failure {
	return b.truncated(schema.UnclosedCell, cause{code: schema.OpenQuote, origin: schema.OriginCSV, message: "a quote is not closed",
		happened: fmt.Sprintf("%v, so the body is cut there after %d rows: nothing after the quote is published (DFINERY_OPEN_QUOTE=recover reads on, "+
			"for an API known not to escape quotes)", e, b.Rows())})
}

// truncated is a failure that names the place of the cut.
func (b *Body) truncated(cut schema.Cut, c cause) *schema.Failure {
	c.ours = true
	c.body = b.reader.Raw()
	at := fmt.Sprintf("line %d, %s", b.reader.Line(), lineHash(&b.call.export, c.body))
	f := b.call.fail(c)
	f.Cut, f.CutAt = cut, at
	return f
}
