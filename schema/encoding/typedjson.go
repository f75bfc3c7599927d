package encoding

import (
	"bytes"
	"encoding/json"

	"dfinery-kafka/schema"
)

// jsonMember is a column as a member of a JSON object.
type jsonMember struct {
	field  Field
	prefix []byte // ,"name":
}

// typedJSONEncoder encodes rows as JSON objects whose values have the types of
// their columns. Members are in the order of the header. Numbers keep their
// digits, because JSON numbers have no fixed precision.
type typedJSONEncoder struct {
	nulls   Nulls
	empty   schema.Empty
	members []jsonMember
}

func (e *typedJSONEncoder) header(fields []place, columns *schema.Columns) {
	e.members = make([]jsonMember, len(columns.Names))
	for _, f := range fields {
		if f.index >= 0 {
			e.members[f.index] = jsonMember{field: f.Field, prefix: append(AppendJSONString([]byte{','}, []byte(f.Name)), ':')}
		}
	}
}

func (e *typedJSONEncoder) append(dst []byte, row *schema.Row) ([]byte, error) {
	start := len(dst)
	for i := range e.members {
		m := &e.members[i]
		cell := row.Cell(i)
		if len(cell) == 0 {
			dst = e.appendEmpty(dst, m)
			continue
		}
		next, ok := appendTypedJSON(append(dst, m.prefix...), m.field.Type, cell, row.Plain)
		switch {
		case ok:
			dst = next
		case e.nulls.instead():
			dst = e.appendEmpty(dst, m)
		default:
			return dst[:start], &ValueError{Column: m.field.Column, Type: m.field.Type, Cell: cell}
		}
	}
	if len(dst) == start {
		return append(dst, "{}"...), nil
	}
	dst[start] = '{' // replaces the first member's comma
	return append(dst, '}'), nil
}

// appendEmpty appends an empty cell according to STREAM_X_EMPTY. Only a string can
// be empty; a value of another type is null.
func (e *typedJSONEncoder) appendEmpty(dst []byte, m *jsonMember) []byte {
	switch {
	case e.empty == schema.EmptyOmit:
		return dst
	case e.empty == schema.EmptyString && m.field.Type.Kind == String:
		return append(append(dst, m.prefix...), `""`...)
	}
	return append(append(dst, m.prefix...), "null"...)
}

// appendTypedJSON appends a cell as a JSON value of the type.
func appendTypedJSON(dst []byte, t Type, cell []byte, plain bool) ([]byte, bool) {
	ok := true
	switch t.Kind {
	case Long:
		return appendJSONLong(dst, cell)
	case Double:
		return appendJSONDouble(dst, cell)
	case Boolean:
		v, ok := parseBoolean(cell)
		if v {
			return append(dst, "true"...), ok
		}
		return append(dst, "false"...), ok
	case Datetime, DatetimeMicros:
		r := millis
		if t.Kind == DatetimeMicros {
			r = micros
		}
		if _, ok = parseDatetime(cell, r); !ok {
			return dst, false
		}
		return append(appendRFC3339(append(dst, '"'), cell), '"'), true
	case Date:
		_, ok = parseDate(cell)
	case Decimal:
		_, ok = parseDecimal(cell, t.Precision, t.Scale)
	case StringArray, LongArray, DoubleArray:
		return appendJSONArray(dst, t.Kind, cell)
	case String:
		if !plain {
			return AppendJSONString(dst, cell), true
		}
	}
	return append(append(append(dst, '"'), cell...), '"'), ok
}

// appendJSONLong appends an integer without a fraction of zeros and without the sign of zero.
func appendJSONLong(dst, cell []byte) ([]byte, bool) {
	v, ok := parseLong(cell)
	if v == 0 {
		return append(dst, '0'), ok
	}
	if point := bytes.IndexByte(cell, '.'); point >= 0 {
		cell = cell[:point]
	}
	return append(dst, cell...), ok
}

// appendJSONDouble appends a number; an integer gets a fraction, which shows readers its type.
func appendJSONDouble(dst, cell []byte) ([]byte, bool) {
	_, ok := parseDouble(cell)
	dst = append(dst, cell...)
	if bytes.ContainsAny(cell, ".eE") {
		return dst, ok
	}
	return append(dst, ".0"...), ok
}

func appendJSONArray(dst []byte, kind Kind, cell []byte) ([]byte, bool) {
	start := len(dst)
	_, ok := scanArray(cell, kind, func(element []byte) {
		dst = append(dst, ',')
		switch kind {
		case LongArray:
			dst, _ = appendJSONLong(dst, element)
		case DoubleArray:
			dst, _ = appendJSONDouble(dst, element)
		default:
			dst = append(dst, element...)
		}
	})
	if len(dst) == start {
		return append(dst, "[]"...), ok
	}
	dst[start] = '['
	return append(dst, ']'), ok
}

// JSONSchema returns the schema (draft 7) of the first fields of a stream. It is
// closed: with BACKWARD compatibility, registries accept a new property of a closed schema.
func JSONSchema(record string, fields []Field) ([]byte, error) {
	type property struct {
		Type   []string `json:"type"`
		Format string   `json:"format,omitempty"`
		Items  any      `json:"items,omitempty"`
	}
	var properties bytes.Buffer
	for i, f := range fields {
		p := property{Type: []string{"string", "null"}}
		switch f.Type.Kind {
		case Long:
			p.Type[0] = "integer"
		case Double:
			p.Type[0] = "number"
		case Boolean:
			p.Type[0] = "boolean"
		case Date:
			p.Format = "date"
		case Datetime, DatetimeMicros:
			p.Format = "date-time"
		case StringArray:
			p.Type[0], p.Items = "array", map[string]string{"type": "string"}
		case LongArray:
			p.Type[0], p.Items = "array", map[string]string{"type": "integer"}
		case DoubleArray:
			p.Type[0], p.Items = "array", map[string]string{"type": "number"}
		case String, Decimal:
		}
		text, err := json.Marshal(p)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			properties.WriteByte(',')
		}
		properties.Write(append(AppendJSONString(nil, []byte(f.Name)), ':'))
		properties.Write(text)
	}
	title, err := json.Marshal(record)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString(`{"$schema":"http://json-schema.org/draft-07/schema#","title":`)
	b.Write(title)
	b.WriteString(`,"type":"object","properties":{`)
	b.Write(properties.Bytes())
	b.WriteString(`},"additionalProperties":false}`)
	return b.Bytes(), nil
}
