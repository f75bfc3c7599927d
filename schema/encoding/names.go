package encoding

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// mapName maps a column name to the only form that Avro and Protobuf allow,
// [A-Za-z_][A-Za-z0-9_]*. The mapping is reversible: a character that is not
// allowed becomes _xHEX_, and an underscore that could be read as the start of
// such an escape becomes _x5f_.
func mapName(name string) string {
	var b strings.Builder
	for i, r := range name {
		switch {
		case r == '_' && startsEscape(name[i+1:]):
			b.WriteString("_x5f_")
		case isLetter(r) || r == '_' || i > 0 && r >= '0' && r <= '9':
			b.WriteRune(r)
		case r == utf8.RuneError:
			_, size := utf8.DecodeRuneInString(name[i:])
			fmt.Fprintf(&b, "_x%x_", name[i:i+size]) // also for bytes that are not UTF-8
		default:
			fmt.Fprintf(&b, "_x%x_", r)
		}
	}
	return b.String()
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

func startsEscape(rest string) bool {
	return len(rest) > 1 && rest[0] == 'x' && strings.IndexByte("0123456789abcdef", rest[1]) >= 0
}

// mapRecordName maps each part of a record's full name, which may contain dots.
func mapRecordName(full string) (namespace, name string) {
	parts := strings.Split(full, ".")
	for i := range parts {
		parts[i] = mapName(parts[i])
	}
	last := len(parts) - 1
	return strings.Join(parts[:last], "."), parts[last]
}
