package encoding

import (
	"encoding/binary"
	"fmt"

	"dfinery-kafka/schema"
)

// Typed encodes the rows of one header in a format with types. One is made for
// each export; it is not safe for concurrent use.
type Typed struct {
	format Format
	prefix []byte // of each value
	body   rowEncoder
}

// rowEncoder encodes the value without its prefix, in one format.
type rowEncoder interface {
	header(fields []place, columns *schema.Columns)
	append(dst []byte, row *schema.Row) ([]byte, error)
}

// Options is the configuration of a stream's values.
type Options struct {
	Format  Format
	Empty   schema.Empty // only for JSON
	Columns Columns
	Nulls   Nulls
}

// NewTyped returns an encoder of rows with these columns. The evolution must have a
// field for each of them and, in a registered format, the id of all its fields.
func NewTyped(o *Options, e *Evolution, columns *schema.Columns) (*Typed, error) {
	t := &Typed{format: o.Format}
	switch o.Format {
	case FormatAvro:
		t.body = &avroEncoder{nulls: o.Nulls}
	case FormatProtobuf:
		t.body = &protobufEncoder{nulls: o.Nulls}
	case FormatTypedJSON, FormatJSONSchema:
		t.body = &typedJSONEncoder{nulls: o.Nulls, empty: o.Empty}
	case FormatJSON:
		return nil, fmt.Errorf("the format %s has no types", o.Format)
	}
	if o.Format.Registered() {
		id, ok := e.ID(len(e.Fields))
		if !ok {
			return nil, fmt.Errorf("no id is known of the schema of %d fields in subject %s", len(e.Fields), e.Subject)
		}
		// Confluent's wire format: a zero byte and the schema's id; for Protobuf also
		// the path to the message, where a single zero means the first one.
		t.prefix = binary.BigEndian.AppendUint32([]byte{0}, uint32(id)) //nolint:gosec // positive, of 32 bits
		if o.Format == FormatProtobuf {
			t.prefix = append(t.prefix, 0)
		}
	}
	t.body.header(places(e, &o.Columns, columns), columns)
	return t, nil
}

// Append appends the row's value to dst. An error is a *ValueError: the row has
// a cell that its type refuses, and the caller must discard what was appended.
func (t *Typed) Append(dst []byte, row *schema.Row) ([]byte, error) {
	return t.body.append(append(dst, t.prefix...), row)
}
