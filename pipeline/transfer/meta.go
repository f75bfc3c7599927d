package transfer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
)

// metaEncoder passes rows with the additional columns of STREAM_X_META to another
// encoder.
type metaEncoder struct {
	encoding.Encoder
	id     *[]byte // of the current row
	stream string

	fixed   []byte        // day, stream and service, concatenated
	spans   []schema.Span // of them in fixed
	plain   bool          // fixed needs no escapes; an id never does
	columns *schema.Columns
	row     schema.Row // scratch memory
	cells   []schema.Span
	data    []byte
}

func newMetaEncoder(inner encoding.Encoder, call *schema.Export, id *[]byte) *metaEncoder {
	m := &metaEncoder{Encoder: inner, id: id, stream: call.Stream, plain: !strings.ContainsAny(call.Service, `"\`)}
	for _, cell := range []string{call.Day.String(), call.Stream, call.Service} {
		start := uint32(len(m.fixed)) //nolint:gosec // three short texts
		m.fixed = append(m.fixed, cell...)
		m.spans = append(m.spans, schema.Span{Start: start, End: uint32(len(m.fixed))}) //nolint:gosec // as above
	}
	return m
}

// Header implements encoding.Encoder.
func (m *metaEncoder) Header(ctx context.Context, columns *schema.Columns) error {
	if err := m.setColumns(columns); err != nil {
		return err
	}
	return m.Encoder.Header(ctx, m.columns)
}

func (m *metaEncoder) setColumns(columns *schema.Columns) error {
	added := schema.MetaColumns()
	for _, name := range added {
		if columns.Index(name) >= 0 {
			return &changedError{detail: fmt.Sprintf("the export has a column %s, which %[2]s adds, too; exclude it with %[3]s, or set %[2]s=false",
				name, schema.StreamVariable(m.stream, "META"), schema.StreamVariable(m.stream, "EXCLUDE_PROPERTIES"))}
		}
	}
	var err error
	m.columns, err = schema.NewColumns(slices.Concat(columns.Names, added))
	return err
}

// try implements tentative.
func (m *metaEncoder) try(ctx context.Context, columns *schema.Columns) (bool, error) {
	if err := m.setColumns(columns); err != nil {
		return false, err
	}
	return try(ctx, m.Encoder, m.columns)
}

// verify implements verifier.
func (m *metaEncoder) verify(ctx context.Context) error { return verify(ctx, m.Encoder) }

// Append implements encoding.Encoder.
func (m *metaEncoder) Append(dst []byte, row *schema.Row) ([]byte, error) {
	m.data = append(append(append(m.data[:0], row.Data...), m.fixed...), *m.id...)
	at := uint32(len(row.Data))                                                                             //nolint:gosec // a row is smaller than that
	ends := at + uint32(len(m.fixed))                                                                       //nolint:gosec // as above
	m.cells = append(append(m.cells[:0], row.Cells...), schema.Span{Start: ends, End: uint32(len(m.data))}) //nolint:gosec // as above
	for _, s := range m.spans {
		m.cells = append(m.cells, schema.Span{Start: at + s.Start, End: at + s.End})
	}
	m.row = *row
	m.row.Columns, m.row.Cells, m.row.Data, m.row.Plain = m.columns, m.cells, m.data, row.Plain && m.plain
	out, err := m.Encoder.Append(dst, &m.row)
	if bad, ok := err.(*schema.BadRow); ok { //nolint:errorlint // an encoder's own
		bad.Columns = row.Columns // its letter shows the row as it arrived
	}
	return out, err
}
