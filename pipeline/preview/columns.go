package preview

import (
	"context"
	"errors"
	"io"
	"slices"

	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
)

// limitedPermit passes only the first rows of the answer to an export.
type limitedPermit struct {
	transfer.Permit
	left   int
	survey func(*schema.Columns) *columnSurvey
	body   *limitedBody // set when the call was answered
}

// Export implements transfer.Permit.
func (p *limitedPermit) Export(ctx context.Context, e schema.Export) (transfer.Body, error) {
	body, err := p.Permit.Export(ctx, e)
	if err != nil {
		return nil, err
	}
	p.body = &limitedBody{Body: body, left: p.left, survey: p.survey(body.Columns())}
	return p.body, nil
}

// limitedBody ends after a number of rows, good and bad. The call continues: its
// remaining rows are a sample for the columns.
type limitedBody struct {
	transfer.Body
	left   int
	ended  error // what ended the rows of the answer; nil while there may be more
	survey *columnSurvey
}

// Next implements transfer.Body.
func (b *limitedBody) Next() (*schema.Row, error) {
	if b.left == 0 {
		return nil, io.EOF
	}
	b.left--
	return b.next()
}

// More implements transfer.Body.
func (b *limitedBody) More() bool { return b.left == 0 || b.Body.More() }

// Close implements transfer.Body. It does nothing, as the sample is read later.
func (b *limitedBody) Close() error { return nil }

func (b *limitedBody) next() (*schema.Row, error) {
	row, err := b.Body.Next()
	if err == nil {
		b.survey.add(row)
	} else if _, bad := errors.AsType[*schema.BadRow](err); !bad {
		b.ended = err
	}
	return row, err
}

// sampledRows is how many rows are examined for the types of their columns.
const sampledRows = 10_000

// sample reads the rows after those of the export, and returns the error that ended
// them: nil if there were enough.
func (b *limitedBody) sample() error {
	for read := 0; b.ended == nil && read < sampledRows; read++ {
		_, _ = b.next()
	}
	return b.ended
}

// Column is a column of the answer.
type Column struct {
	Name     string        `json:"name"`
	Field    string        `json:"field"` // its name in the value
	Type     encoding.Type `json:"type"`
	Declared bool          `json:"declared"` // by STREAM_X_COLUMNS
	Hidden   bool          `json:"hidden"`   // its cells are dropped, hashed or masked
	Filled   int           `json:"filled"`   // non-empty cells of the sample
	Rejected int           `json:"rejected"` // those of them that the type refuses
	// Candidates are possible types of the column, with the number of cells that each
	// refuses. A hidden column has none.
	Candidates []encoding.Candidate `json:"candidates"`

	dropped bool // it is in no record
}

// columnSurvey examines cells, column by column.
type columnSurvey struct {
	rows    int
	columns []Column
	surveys []encoding.Survey
}

// survey starts to examine the cells of a header's columns.
func (p *Plan) survey(under *schema.Columns) *columnSurvey {
	s := &columnSurvey{columns: make([]Column, len(under.Names)), surveys: make([]encoding.Survey, len(under.Names))}
	v := p.Stream.Values
	e := new(encoding.Evolution)
	if v != nil {
		if p.Schemas != nil {
			e = p.Schemas.Clone()
		}
		if _, err := e.Extend(under.Names, &v.Columns); err != nil {
			e = new(encoding.Evolution) // the export reports the error
		}
	}
	for i, name := range under.Names {
		c := Column{Name: name, Field: name, Candidates: []encoding.Candidate{}}
		if at := slices.IndexFunc(e.Fields, func(f encoding.Field) bool { return f.Column == name }); at >= 0 {
			c.Field, c.Type = e.Fields[at].Name, e.Fields[at].Type
		}
		if v != nil {
			c.Declared = slices.ContainsFunc(v.Columns.Declared, func(d encoding.Declaration) bool { return d.Column == name })
		}
		c.Hidden = slices.Contains(p.Stream.Privacy.Strings(), name)
		c.dropped = p.Stream.Privacy.Drops(name)
		s.columns[i] = c
	}
	return s
}

// schemaText is the text of the schema that rows with a header would have, after the fields
// that are in the ledger.
func (p *Plan) schemaText(header *schema.Columns, kept *encoding.Evolution) string {
	v := p.Stream.Values
	if v == nil || !v.Format.Registered() {
		return ""
	}
	if kept == nil {
		kept = new(encoding.Evolution)
	}
	names := slices.DeleteFunc(slices.Clone(header.Names), p.Stream.Privacy.Drops)
	if p.Stream.Meta {
		names = append(names, schema.MetaColumns()...)
	}
	if _, err := kept.Extend(names, &v.Columns); err != nil {
		return ""
	}
	text, err := v.Format.SchemaText(v.Record, kept.Fields)
	if err != nil {
		return ""
	}
	return text
}

func (s *columnSurvey) add(row *schema.Row) {
	s.rows++
	for i := range s.columns {
		cell, c := row.Cell(i), &s.columns[i]
		s.surveys[i].Add(cell)
		if !c.Type.Accepts(cell) {
			c.Rejected++
		}
	}
}

// result returns the actual and possible types of each column.
func (s *columnSurvey) result() []Column {
	for i := range s.columns {
		c := &s.columns[i]
		c.Filled = s.surveys[i].Filled
		if !c.Hidden {
			c.Candidates = append(c.Candidates, s.surveys[i].Candidates()...)
		}
	}
	return slices.DeleteFunc(s.columns, func(c Column) bool { return c.dropped })
}
