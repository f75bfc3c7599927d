package schema

import (
	"encoding/binary"
	"slices"
)

// Empty says what becomes of empty cells in a record's value.
type Empty string

// The values of STREAM_X_EMPTY.
const (
	EmptyOmit   Empty = "omit"
	EmptyNull   Empty = "null"
	EmptyString Empty = "string"
)

// AppendJSON appends the row as a JSON object: members in the order of the header, values as strings with exactly the cell's bytes,
// which must be valid UTF-8.
func (r *Row) AppendJSON(dst []byte, empty Empty) []byte {
	start := len(dst)
	if r.Plain && empty == EmptyOmit {
		dst = r.appendPlain(dst)
	} else {
		for i := range r.Columns.member {
			dst = r.appendMember(dst, i, empty)
		}
	}
	if len(dst) == start {
		return append(dst, "{}"...)
	}
	dst[start] = '{' // in the place of the first member's comma
	return append(dst, '}')
}

// appendPlain appends the members of a row that needs neither escapes nor anything for its empty cells, as nearly all rows.
func (r *Row) appendPlain(dst []byte) []byte {
	dst = slices.Grow(dst, r.Columns.memberSize+len(r.Data)+wide)
	b, n := dst[:cap(dst)], len(dst)
	for i := range r.Columns.member {
		cell := r.Cells[i]
		if cell.Start == cell.End {
			continue
		}
		n = r.Columns.member[i].put(b, n)
		n = putSpan(b, n, r.Data, cell)
		b[n] = '"'
		n++
	}
	return b[:n]
}

func (r *Row) appendMember(dst []byte, i int, empty Empty) []byte {
	cell, member := r.Cell(i), r.Columns.member[i].text
	switch {
	case len(cell) > 0 && (r.Plain || plain(cell)):
		return append(append(append(dst, member...), cell...), '"')
	case len(cell) > 0 || empty == EmptyString:
		return appendString(append(dst, member[:len(member)-1]...), cell)
	case empty == EmptyNull:
		return append(append(dst, member[:len(member)-1]...), "null"...)
	}
	return dst
}

// plain says that a cell needs no escape. It looks at eight bytes at a time: a sum of two numbers below 0x80 carries into bit 7 of its own
// byte alone, and a byte above 0x7f needs none.
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

const hex = "0123456789abcdef"

// appendString appends s as a JSON string. Only what RFC 8259 section 7 demands is escaped.
func appendString(dst, s []byte) []byte {
	dst = append(dst, '"')
	from := 0
	for i, c := range s {
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	dst = append(dst, s[from:]...)
	return append(dst, '"')
}
