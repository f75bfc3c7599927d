package encoding

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"dfinery-kafka/schema"
)

// Protobuf's wire types (Protocol Buffers, "Encoding").
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
)

// protoNumber is the field number for an index. Protocol Buffers reserves 19000
// to 19999.
func protoNumber(place int) int {
	n := place + 1
	if n >= 19000 {
		n += 1000
	}
	return n
}

// protoName is the name of a field in a Protobuf message.
type protoName struct{ field, json string }

// protoNames names the fields in order. Field names, the JSON names that readers
// derive from them, and the json_names share one namespace: the field's number is
// appended to a name that is already taken, so that a name never depends on a
// later field.
func protoNames(fields []Field) []protoName {
	taken := map[string]bool{}
	names := make([]protoName, len(fields))
	for i, f := range fields {
		suffix := "_" + strconv.Itoa(protoNumber(i))
		n := protoName{field: mapName(f.Name), json: f.Name}
		for taken[n.field] || taken[lowerCamel(n.field)] {
			n.field += suffix
		}
		for taken[n.json] || isExtensionName(n.json) {
			n.json += suffix
		}
		taken[n.field], taken[lowerCamel(n.field)], taken[n.json] = true, true, true
		names[i] = n
	}
	return names
}

// isExtensionName reports whether protoc refuses the name as json_name: it denotes an extension.
func isExtensionName(name string) bool {
	return strings.HasPrefix(name, "[") && strings.HasSuffix(name, "]")
}

// lowerCamel is the JSON name that Protocol Buffers derives from a field name.
func lowerCamel(name string) string {
	b := make([]byte, 0, len(name))
	upper := false
	for i := range len(name) {
		c := name[i]
		switch {
		case c == '_':
			upper = true
			continue
		case upper && c >= 'a' && c <= 'z':
			c -= 'a' - 'A'
		}
		upper = false
		b = append(b, c)
	}
	return string(b)
}

// ProtobufSchema returns the schema of the first fields of a stream as proto3.
func ProtobufSchema(record string, fields []Field) []byte {
	var b bytes.Buffer
	b.WriteString("syntax = \"proto3\";\n")
	namespace, message := mapRecordName(record)
	if namespace != "" {
		fmt.Fprintf(&b, "package %s;\n", namespace)
	}
	for _, f := range fields {
		if f.Type.Kind == Datetime || f.Type.Kind == DatetimeMicros {
			b.WriteString("import \"google/protobuf/timestamp.proto\";\n")
			break
		}
	}
	fmt.Fprintf(&b, "message %s {\n", message)
	// Compilers would look for google.protobuf inside a scope with the name google.
	shadowed := slices.Contains(strings.Split(namespace+"."+message, ".")[1:], "google")
	for i, n := range protoNames(fields) {
		kind := protoType(fields[i].Type)
		if shadowed {
			kind = strings.Replace(kind, "google.", ".google.", 1)
		}
		fmt.Fprintf(&b, "  %s %s = %d [json_name = %s];\n", kind, n.field, protoNumber(i), protoString(n.json))
	}
	b.WriteString("}\n")
	return b.Bytes()
}

func protoType(t Type) string {
	switch t.Kind {
	case Long:
		return "optional int64"
	case Double:
		return "optional double"
	case Boolean:
		return "optional bool"
	case Datetime, DatetimeMicros:
		return "optional google.protobuf.Timestamp"
	case StringArray:
		return "repeated string"
	case LongArray:
		return "repeated int64"
	case DoubleArray:
		return "repeated double"
	case String, Date, Decimal:
	}
	return "optional string"
}

// protoString is a string literal; everything except printable ASCII is escaped.
func protoString(text string) string {
	b := []byte{'"'}
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20 || c >= 0x7f:
			b = fmt.Appendf(b, "\\%03o", c)
		default:
			b = append(b, c)
		}
	}
	return string(append(b, '"'))
}

// protobufEncoder encodes rows as Protobuf messages.
type protobufEncoder struct {
	nulls  Nulls
	places []place
}

func (e *protobufEncoder) header(fields []place, _ *schema.Columns) { e.places = fields }

func (e *protobufEncoder) append(dst []byte, row *schema.Row) ([]byte, error) {
	for i := range e.places {
		p := &e.places[i]
		cell := p.cell(row)
		if len(cell) == 0 {
			continue
		}
		next, ok := appendProtobuf(dst, protoNumber(i), p.Type, cell)
		switch {
		case ok:
			dst = next
		case !e.nulls.instead():
			return dst, p.refused(cell)
		}
	}
	return dst, nil
}

func appendTag(dst []byte, number, wire int) []byte {
	return binary.AppendUvarint(dst, uint64(number)<<3|uint64(wire)) //nolint:gosec // both are small and positive
}

// appendProtobuf appends a cell as the field with that number.
func appendProtobuf(dst []byte, number int, t Type, cell []byte) ([]byte, bool) {
	ok := true
	switch t.Kind {
	case Long:
		v, ok := parseLong(cell)
		return binary.AppendUvarint(appendTag(dst, number, wireVarint), uint64(v)), ok //nolint:gosec // two's complement, as int64 is encoded
	case Double:
		v, ok := parseDouble(cell)
		return binary.LittleEndian.AppendUint64(appendTag(dst, number, wireFixed64), math.Float64bits(v)), ok
	case Boolean:
		v, ok := parseBoolean(cell)
		return append(appendTag(dst, number, wireVarint), boolByte(v)), ok
	case Datetime:
		v, ok := parseDatetime(cell, millis)
		return appendTimestamp(appendTag(dst, number, wireBytes), v, 1_000), ok
	case DatetimeMicros:
		v, ok := parseDatetime(cell, micros)
		return appendTimestamp(appendTag(dst, number, wireBytes), v, 1_000_000), ok
	case StringArray, LongArray, DoubleArray:
		return appendProtobufArray(dst, number, t.Kind, cell)
	case Date:
		_, ok = parseDate(cell)
	case Decimal:
		_, ok = parseDecimal(cell, t.Precision, t.Scale)
	case String:
	}
	dst = binary.AppendUvarint(appendTag(dst, number, wireBytes), uint64(len(cell)))
	return append(dst, cell...), ok
}

// appendTimestamp appends a google.protobuf.Timestamp with its length. units
// is the number of value's units per second.
func appendTimestamp(dst []byte, value, units int64) []byte {
	seconds, rest := value/units, value%units
	if rest < 0 {
		seconds, rest = seconds-1, rest+units
	}
	start := len(dst)
	if seconds != 0 {
		dst = binary.AppendUvarint(append(dst, 1<<3|wireVarint), uint64(seconds)) //nolint:gosec // two's complement
	}
	if rest != 0 {
		dst = binary.AppendUvarint(append(dst, 2<<3|wireVarint), uint64(rest*(1_000_000_000/units))) //nolint:gosec // positive
	}
	return prefixLength(dst, start, appendPlainLength)
}

func appendPlainLength(dst []byte, n int64) []byte { return binary.AppendUvarint(dst, uint64(n)) } //nolint:gosec // a length

// appendProtobufArray packs numbers and repeats strings. For an empty array it
// appends nothing: proto3 does not distinguish it from an absent one.
func appendProtobufArray(dst []byte, number int, kind Kind, cell []byte) ([]byte, bool) {
	count, ok := scanArray(cell, kind, nil)
	if !ok || count == 0 {
		return dst, ok
	}
	if kind == StringArray {
		scanArray(cell, kind, func(element []byte) {
			dst = appendTag(dst, number, wireBytes)
			start := len(dst)
			dst = appendUnquoted(dst, element)
			dst = prefixLength(dst, start, appendPlainLength)
		})
		return dst, true
	}
	dst = appendTag(dst, number, wireBytes)
	start := len(dst)
	scanArray(cell, kind, func(element []byte) {
		if kind == LongArray {
			v, _ := parseLong(element)
			dst = binary.AppendUvarint(dst, uint64(v)) //nolint:gosec // two's complement
			return
		}
		v, _ := parseDouble(element)
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
	})
	return prefixLength(dst, start, appendPlainLength), true
}
