package encoding

import (
	"encoding/binary"
	"encoding/json"
	"math"

	"dfinery-kafka/schema"
)

// Avro's binary encoding (Apache Avro specification 1.12, "Binary Encoding"):
// each field is a union of null and its type.
const (
	avroNull  = 0x00
	avroValue = 0x02 // zigzag of the second branch
)

// AvroSchema returns the schema of the first fields of a stream. The text
// depends only on record and fields.
func AvroSchema(record string, fields []Field) ([]byte, error) {
	type avroField struct {
		Name    string `json:"name"`
		Type    []any  `json:"type"`
		Default any    `json:"default"`
		Column  string `json:"column,omitempty"` // if the name is not the column's
	}
	namespace, name := mapRecordName(record)
	s := struct {
		Type      string      `json:"type"`
		Name      string      `json:"name"`
		Namespace string      `json:"namespace,omitempty"`
		Fields    []avroField `json:"fields"`
	}{"record", name, namespace, make([]avroField, len(fields))}
	for i, f := range fields {
		s.Fields[i] = avroField{Name: mapName(f.Name), Type: []any{"null", avroType(f.Type)}}
		if s.Fields[i].Name != f.Column {
			s.Fields[i].Column = f.Column
		}
	}
	return json.Marshal(s)
}

func avroType(t Type) any {
	type logical struct {
		Type      string `json:"type"`
		Logical   string `json:"logicalType"`
		Precision int    `json:"precision,omitempty"`
		Scale     int    `json:"scale,omitempty"`
	}
	type array struct {
		Type  string `json:"type"`
		Items string `json:"items"`
	}
	switch t.Kind {
	case Date:
		return logical{Type: "int", Logical: "date"}
	case Datetime:
		return logical{Type: "long", Logical: "timestamp-millis"}
	case DatetimeMicros:
		return logical{Type: "long", Logical: "timestamp-micros"}
	case Decimal:
		return logical{Type: "bytes", Logical: "decimal", Precision: t.Precision, Scale: t.Scale}
	case StringArray:
		return array{"array", "string"}
	case LongArray:
		return array{"array", "long"}
	case DoubleArray:
		return array{"array", "double"}
	case String, Long, Double, Boolean:
	}
	return t.String()
}

// avroEncoder encodes rows as Avro records.
type avroEncoder struct {
	nulls  Nulls
	places []place
}

func (e *avroEncoder) header(fields []place, _ *schema.Columns) { e.places = fields }

func (e *avroEncoder) append(dst []byte, row *schema.Row) ([]byte, error) {
	for i := range e.places {
		p := &e.places[i]
		cell := p.cell(row)
		if len(cell) == 0 {
			dst = append(dst, avroNull)
			continue
		}
		next, ok := appendAvro(append(dst, avroValue), p.Type, cell)
		switch {
		case ok:
			dst = next
		case e.nulls.instead():
			dst = append(dst, avroNull)
		default:
			return dst, p.refused(cell)
		}
	}
	return dst, nil
}

// appendAvro appends a cell as a value of the type, without the union branch.
func appendAvro(dst []byte, t Type, cell []byte) ([]byte, bool) {
	switch t.Kind {
	case Long:
		v, ok := parseLong(cell)
		return binary.AppendVarint(dst, v), ok
	case Double:
		v, ok := parseDouble(cell)
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v)), ok
	case Boolean:
		v, ok := parseBoolean(cell)
		return append(dst, boolByte(v)), ok
	case Date:
		v, ok := parseDate(cell)
		return binary.AppendVarint(dst, v), ok
	case Datetime:
		v, ok := parseDatetime(cell, millis)
		return binary.AppendVarint(dst, v), ok
	case DatetimeMicros:
		v, ok := parseDatetime(cell, micros)
		return binary.AppendVarint(dst, v), ok
	case Decimal:
		v, ok := parseDecimal(cell, t.Precision, t.Scale)
		return v.appendTo(binary.AppendVarint(dst, int64(v.size()))), ok
	case StringArray, LongArray, DoubleArray:
		return appendAvroArray(dst, t.Kind, cell)
	case String:
	}
	return append(binary.AppendVarint(dst, int64(len(cell))), cell...), true
}

func boolByte(v bool) byte {
	if v {
		return 1
	}
	return 0
}

// appendAvroArray appends one block, and the empty block that ends an array.
func appendAvroArray(dst []byte, kind Kind, cell []byte) ([]byte, bool) {
	count, ok := scanArray(cell, kind, nil)
	if !ok {
		return dst, false
	}
	if count > 0 {
		dst = binary.AppendVarint(dst, int64(count))
		scanArray(cell, kind, func(element []byte) {
			switch kind {
			case LongArray:
				v, _ := parseLong(element)
				dst = binary.AppendVarint(dst, v)
			case DoubleArray:
				v, _ := parseDouble(element)
				dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
			default:
				start := len(dst)
				dst = appendUnquoted(dst, element)
				dst = prefixLength(dst, start, binary.AppendVarint)
			}
		})
	}
	return append(dst, 0), true
}

// prefixLength inserts the length of dst[start:] before it.
func prefixLength(dst []byte, start int, appendLength func([]byte, int64) []byte) []byte {
	size := len(dst) - start
	var room [binary.MaxVarintLen64]byte
	length := appendLength(room[:0], int64(size))
	dst = append(dst, length...)
	copy(dst[start+len(length):], dst[start:start+size])
	copy(dst[start:], length)
	return dst
}
