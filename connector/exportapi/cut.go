package exportapi

import (
	"fmt"

	"dfinery-kafka/connector/csv"
	"dfinery-kafka/schema"
)

// A body that ended correctly by HTTP may still be cut: its content shows that. Then the fault is this day's answer, not the link to the API, so
// these failures are of the class schema.Truncated.

// cutIn is the failure of a body that is cut at the line just read, the header or a row, good or bad; nil when it is not.
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
	return b.noNewline(" (DFINERY_FINAL_NEWLINE=optional takes such a line for whole)")
}

func (b *Body) noNewline(hint string) *schema.Failure {
	return b.truncated(schema.NoNewline, cause{code: schema.MaybeTorn, origin: schema.OriginTransport, message: "the last line has no newline",
		happened: fmt.Sprintf("the body ended without a newline after %d rows, so its last line may be torn%s", b.Rows(), hint)})
}

func (b *Body) tooFew() *schema.Failure {
	return b.truncated(schema.TooFewFields, cause{code: schema.MaybeTorn, origin: schema.OriginCSV, message: "the last line has too few fields",
		happened: fmt.Sprintf("the last line, behind %d rows, has fewer fields than the header: the body is cut, or a text stands behind its rows", b.Rows())})
}

func (b *Body) openQuote(e *csv.OpenQuoteError) *schema.Failure {
	return b.truncated(schema.UnclosedCell, cause{code: schema.OpenQuote, origin: schema.OriginCSV, message: "a quote is not closed",
		happened: fmt.Sprintf("%v, so the body is cut there after %d rows: nothing behind the quote is published (DFINERY_OPEN_QUOTE=recover reads on, "+
			"for an API known to leave quotes unescaped)", e, b.Rows())})
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
