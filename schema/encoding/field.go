package encoding

import (
	"fmt"

	"dfinery-kafka/schema"
)

// Field is one column of a stream in a format with a schema. A stream's list of
// fields only ever grows, because a field's position is part of the wire formats.
type Field struct {
	Column string `json:"column"`
	Name   string `json:"name"` // name in the schema: the column's, unless another was declared
	Type   Type   `json:"type"`
}

// ValueError reports a cell that is not a value of its column's type.
type ValueError struct {
	Column string
	Type   Type
	Cell   []byte // borrowed from the row
}

func (e *ValueError) Error() string {
	return fmt.Sprintf("column %s: %q is no %s", e.Column, e.Cell, e.Type)
}

// place is the index of a field's cells with the current header: -1 if the header lacks its column.
type place struct {
	Field
	index int
}

// places finds the columns of an evolution's fields in a header.
func places(e *Evolution, c *Columns, columns *schema.Columns) []place {
	at := make(map[string]int, len(columns.Names))
	for i, name := range columns.Names {
		at[name] = i
	}
	active := e.active(c)
	list := make([]place, len(e.Fields))
	for i, f := range e.Fields {
		index, ok := at[f.Column]
		if !ok || !active[i] {
			index = -1
		}
		list[i] = place{Field: f, index: index}
	}
	return list
}

// cell is the field's cell of a row; empty if the header lacks its column.
func (p *place) cell(row *schema.Row) []byte {
	if p.index < 0 {
		return nil
	}
	return row.Cell(p.index)
}

// refused is the error for a cell that the type does not accept.
func (p *place) refused(cell []byte) error {
	return &ValueError{Column: p.Column, Type: p.Type, Cell: cell}
}

// Nulls decides what happens to a cell that its type refuses: with Publish the
// value is null, and Count is called for each; otherwise Append fails.
type Nulls struct {
	Publish bool
	Count   func()
}

func (n *Nulls) instead() bool {
	if n.Publish && n.Count != nil {
		n.Count()
	}
	return n.Publish
}
