package encoding

import (
	"fmt"
	"slices"
)

// Evolution is the history of the schema of a topic's values. It is stored in the
// ledger. Fields are only ever appended, so that every version of the schema is a
// prefix of the fields.
type Evolution struct {
	Format   Format    `json:"format"`
	Topic    string    `json:"topic"`
	Subject  string    `json:"subject,omitempty"` // for formats with a registry
	Record   string    `json:"record,omitempty"`  // record name in the schema; empty: unknown
	Fields   []Field   `json:"fields"`
	Versions []Version `json:"versions,omitempty"`
}

// Version is a schema in the registry: the id of the first fields.
type Version struct {
	Fields int `json:"fields"`
	ID     int `json:"id"`
}

// ID is the registry's id of the schema of the first n fields.
func (e *Evolution) ID(n int) (id int, ok bool) {
	for _, v := range e.Versions {
		if v.Fields == n && v.ID > 0 {
			return v.ID, true
		}
	}
	return 0, false
}

// Registered reports whether the id of any version is known.
func (e *Evolution) Registered() bool {
	return slices.ContainsFunc(e.Versions, func(v Version) bool { return v.ID > 0 })
}

// SetID stores the id of the schema of the first n fields.
func (e *Evolution) SetID(n, id int) {
	for i := range e.Versions {
		if e.Versions[i].Fields == n {
			e.Versions[i].ID = id
			return
		}
	}
	e.Versions = append(e.Versions, Version{Fields: n, ID: id})
}

// ForgetIDs removes all ids, after the registry has lost them: versions are
// registered again when they are needed.
func (e *Evolution) ForgetIDs() {
	for i := range e.Versions {
		e.Versions[i].ID = 0
	}
}

// Published returns the newest registered version, if it has a field for each
// column of the header, so that rows can be encoded without the registry; else nil.
func (e *Evolution) Published(header []string, c *Columns) (*Evolution, error) {
	newest := -1
	for _, v := range e.Versions {
		if v.ID > 0 {
			newest = max(newest, v.Fields)
		}
	}
	if newest < 0 || newest > len(e.Fields) {
		return nil, nil
	}
	p := e.Clone()
	p.Fields = p.Fields[:newest:newest]
	if added, err := p.Extend(header, c); err != nil || added > 0 {
		return nil, err
	}
	return p, nil
}

// Clone returns a deep copy.
func (e *Evolution) Clone() *Evolution {
	c := *e
	c.Fields, c.Versions = slices.Clone(e.Fields), slices.Clone(e.Versions)
	return &c
}

// DropProvisional removes the fields that are in no registered version.
func (e *Evolution) DropProvisional() {
	most := 0
	for _, v := range e.Versions {
		most = max(most, v.Fields)
	}
	e.Fields = e.Fields[:most]
}

// Columns is the configuration of a stream's columns.
type Columns struct {
	Declared []Declaration
	Variable string          // that declares them, for errors: STREAM_EVENTS_COLUMNS
	Private  map[string]bool // hashed or masked: always a string, whatever is declared
}

// field is the field for a column's cells.
func (c *Columns) field(column string) Field {
	f := Field{Column: column, Name: column, Type: BuiltIn(column)}
	for _, d := range c.Declared {
		if d.Column == column {
			f.Type = d.Type
			if d.Name != "" {
				f.Name = d.Name
			}
		}
	}
	if c.Private[column] {
		f.Type = Type{}
	}
	return f
}

func (c *Columns) declares(column string) bool {
	return slices.ContainsFunc(c.Declared, func(d Declaration) bool { return d.Column == column })
}

// ConflictError reports a column that can't become a field, because it conflicts
// with the topic's former values.
type ConflictError struct{ Reason string }

func (e *ConflictError) Error() string { return e.Reason }

// Extend appends a field for each column of a header that has none, and returns
// how many. The type of an existing field never changes, even if a built-in type
// has. With a *ConflictError the evolution is unchanged.
func (e *Evolution) Extend(header []string, c *Columns) (added int, err error) {
	fields := slices.Clone(e.Fields)
	byName := make(map[string]int, len(fields))
	for i, f := range fields {
		byName[f.Name] = i
	}
	for _, column := range header {
		want := c.field(column)
		i, known := byName[want.Name]
		if !known {
			byName[want.Name] = len(fields)
			fields = append(fields, want)
			continue
		}
		have := fields[i]
		switch {
		case have.Column != column:
			return 0, &ConflictError{fmt.Sprintf("the columns %s and %s would both be the field %s; give one of them another name in %s (COLUMN:TYPE:FIELD)", have.Column, column, want.Name, c.Variable)}
		case have.Type != want.Type && c.Private[column]:
			return 0, &ConflictError{fmt.Sprintf("the column %s is hidden now and so a string, but was published as %s; give it a new name in %s (%s:string:FIELD)", column, have.Type, c.Variable, column)}
		case have.Type != want.Type && c.declares(column):
			return 0, &ConflictError{fmt.Sprintf("the column %s is declared as %s, but was published as %s; give it a new name in %s (%s:%s:FIELD)", column, want.Type, have.Type, c.Variable, column, want.Type)}
		}
	}
	added = len(fields) - len(e.Fields)
	e.Fields = fields
	return added, nil
}

// active reports which fields are in use: a field whose column was renamed is null
// from then on.
func (e *Evolution) active(c *Columns) []bool {
	list := make([]bool, len(e.Fields))
	for i, f := range e.Fields {
		list[i] = c.field(f.Column).Name == f.Name
	}
	return list
}
