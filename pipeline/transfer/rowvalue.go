package transfer

import (
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
)

// RowValue is the value of a row's record.
type RowValue interface {
	recordbatch.Value
	Row() *schema.Row
}

// rowValue is a row as the value of a record.
type rowValue struct {
	encoder encoding.Encoder
	row     *schema.Row
}

// Append implements recordbatch.Value.
func (v *rowValue) Append(dst []byte) ([]byte, error) { return v.encoder.Append(dst, v.row) }

// Row implements RowValue.
func (v *rowValue) Row() *schema.Row { return v.row }
