package exporttest

import (
	"cmp"
	"fmt"
	"strings"
)

// BadRow is a malformed line, in addition to the good rows.
type BadRow struct {
	After int // good rows before it
	Kind  BadKind
	Size  int // of a HugeCell, in bytes; 0 means 2 MiB
}

// BadKind is what is wrong with a BadRow.
type BadKind int

// The kinds of bad rows.
const (
	FewerFields BadKind = iota // half of the header's fields
	MoreFields                 // one more than the header
	BareQuote                  // a quote within an unquoted cell
	AfterQuote                 // text between a closing quote and the comma
	OpenQuote                  // an unclosed quote: it swallows lines up to the next quote
	InvalidUTF8                // a byte that is not UTF-8
	EmptyKey                   // no df_unified_id
	HugeCell                   // too large for Kafka
	EmptyLine                  // no bytes
)

// Line is the text of the bad row, without line end, for a header of these columns. Its second
// cell contains its number, so that bad rows differ.
func (b BadRow) Line(columns []string) string {
	cells := make([]string, len(columns))
	last := len(cells) - 1
	for i, name := range columns {
		switch {
		case name == "df_unified_id":
			cells[i] = "u000000001"
		case i == last:
		default:
			cells[i] = fmt.Sprintf("bad %d", b.After)
		}
	}
	switch b.Kind {
	case FewerFields:
		cells = cells[:(len(cells)+1)/2]
	case MoreFields:
		cells = append(cells, "one more")
	case BareQuote:
		cells[last] = `4" screen`
	case AfterQuote:
		cells[last] = `"quoted" and more`
	case OpenQuote:
		cells[last] = `"open`
	case InvalidUTF8:
		cells[last] = "caf\xe9"
	case EmptyKey:
		for i, name := range columns {
			if name == "df_unified_id" {
				cells[i] = ""
			}
		}
	case HugeCell:
		cells[last] = strings.Repeat("x", cmp.Or(b.Size, 2<<20))
	case EmptyLine:
		return ""
	}
	return strings.Join(cells, ",")
}
