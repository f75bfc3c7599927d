package encoding

import (
	"context"
	"encoding/binary"
	"slices"

	"dfinery-kafka/schema"
)

// JSON encodes a row as a JSON object with members in the order of the header. Values are
// strings with exactly the bytes of the cell, which must be valid UTF-8. It never fails. The
// zero value omits empty cells.
type JSON struct {
	Empty schema.Empty // how empty cells appear; "" is schema.EmptyOmit

	members []schema.CopiedText // by column: ,"name":"  with the value's first quote
	size    int                 // upper bound of the bytes of all members without their values
}

// Header implements Encoder.
func (j *JSON) Header(_ context.Context, columns *schema.Columns) error {
	j.members, j.size = make([]schema.CopiedText, len(columns.Names)), 0
	for i, name := range columns.Names {
		text := append(AppendJSONString([]byte{','}, []byte(name)), ':', '"')
		j.members[i] = schema.NewCopiedText(text)
		j.size += len(text) + len("null")
	}
	return nil
}

// Append implements Encoder.
func (j *JSON) Append(dst []byte, row *schema.Row) ([]byte, error) {
	start := len(dst)
	if row.Plain && (j.Empty == schema.EmptyOmit || j.Empty == "") {
		dst = j.appendPlain(dst, row)
	} else {
		for i := range j.members {
			dst = j.appendMember(dst, row, i)
		}
	}
	if len(dst) == start {
		return append(dst, "{}"...), nil
	}
	dst[start] = '{' // replaces the first member's comma
	return append(dst, '}'), nil
}

// appendPlain appends the members of a row that needs no escapes and no members for empty
// cells, as nearly all rows.
func (j *JSON) appendPlain(dst []byte, row *schema.Row) []byte {
	dst = slices.Grow(dst, j.size+len(row.Data)+schema.CopyWidth)
	b, n := dst[:cap(dst)], len(dst)
	members, data := j.members, row.Data
	for i, cell := range row.Cells[:len(members)] {
		if cell.Start == cell.End {
			continue
		}
		n = members[i].Put(b, n)
		n = cell.Put(b, n, data)
		b[n] = '"'
		n++
	}
	return b[:n]
}

func (j *JSON) appendMember(dst []byte, row *schema.Row, i int) []byte {
	cell, member := row.Cell(i), j.members[i].Text
	switch {
	case len(cell) > 0 && (row.Plain || plain(cell)):
		return append(append(append(dst, member...), cell...), '"')
	case len(cell) > 0 || j.Empty == schema.EmptyString:
		return AppendJSONString(append(dst, member[:len(member)-1]...), cell)
	case j.Empty == schema.EmptyNull:
		return append(append(dst, member[:len(member)-1]...), "null"...)
	}
	return dst
}

// plain reports whether a cell needs no escapes. It checks eight bytes at a time: a sum of two
// numbers below 0x80 carries only into bit 7 of its own byte, and a byte above 0x7f needs no
// escape.
func plain(cell []byte) bool {
	const ones, lows, highs = 0x0101010101010101, 0x7f * uint64(0x0101010101010101), 0x80 * uint64(0x0101010101010101)
	for len(cell) >= 8 {
		word := binary.LittleEndian.Uint64(cell)
		low := word & lows
		other := (low + (0x80-0x20)*ones) & (low ^ '"'*ones + lows) & (low ^ '\\'*ones + lows)
		if ^(other|word)&highs != 0 {
			return false
		}
		cell = cell[8:]
	}
	for _, c := range cell {
		if c < 0x20 || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
