package transfer

import (
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
)

// recordKey makes the keys of one export's records. It is not safe for concurrent use.
type recordKey struct {
	names []string
	at    []int  // their columns
	text  []byte // scratch memory
}

// setColumns finds the key's columns in a header line, which has all of them.
func (k *recordKey) setColumns(key schema.Key, columns *schema.Columns) {
	k.names, k.at = key.Columns(), k.at[:0]
	for _, name := range k.names {
		k.at = append(k.at, columns.Index(name))
	}
}

// of returns the key of a row, valid until the next call. If a part of the key is
// empty, it returns the name of that column instead.
func (k *recordKey) of(row *schema.Row) (key []byte, empty string) {
	for i, at := range k.at {
		if len(row.Cell(at)) == 0 {
			return nil, k.names[i]
		}
	}
	if len(k.at) == 1 {
		return row.Cell(k.at[0]), ""
	}
	k.text = k.text[:0]
	for i, at := range k.at {
		opening := byte(',')
		if i == 0 {
			opening = '['
		}
		k.text = encoding.AppendJSONString(append(k.text, opening), row.Cell(at))
	}
	k.text = append(k.text, ']')
	return k.text, ""
}
