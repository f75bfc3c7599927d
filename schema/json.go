package schema

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
	for i, member := range r.Columns.member {
		cell := r.Cell(i)
		if len(cell) == 0 {
			switch empty {
			case EmptyNull:
				dst = append(append(dst, member...), "null"...)
			case EmptyString:
				dst = append(append(dst, member...), `""`...)
			}
			continue
		}
		dst = append(dst, member...)
		if r.Plain {
			dst = append(dst, '"')
			dst = append(dst, cell...)
			dst = append(dst, '"')
		} else {
			dst = appendString(dst, cell)
		}
	}
	if len(dst) == start {
		return append(dst, "{}"...)
	}
	dst[start] = '{' // in the place of the first member's comma
	return append(dst, '}')
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
