package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/sr"

	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
	"dfinery-kafka/schema/registry"
)

// typedEncoder encodes the rows of one export in a format with types.
type typedEncoder struct {
	values        *Values
	stream, topic string
	evolve        Evolve
	// hideCells hides cells in the reasons why rows are bad.
	hideCells bool
	redact    func([]byte) []byte // removes the source's secrets from a cell
	typed     *encoding.Typed
}

// Header implements encoding.Encoder: it writes new columns to the ledger, then their
// schema to the registry, then the id to the ledger, before any row is published.
func (t *typedEncoder) Header(ctx context.Context, columns *schema.Columns) error {
	e, err := t.registered(ctx, columns.Names)
	if err == nil && e == nil {
		e, err = t.registerHeader(ctx, columns.Names)
	}
	if err != nil {
		return err
	}
	options := t.values.Options
	if t.values.NullBadValues {
		options.Nulls = encoding.Nulls{Publish: true, Count: func() { t.values.nulled.Add(1) }}
	}
	t.typed, err = encoding.NewTyped(&options, e, columns)
	return err
}

// unassignedID stands for the id of a schema in values that are not published.
const unassignedID = 1<<31 - 1

// try implements tentative: it finds the types of the columns, and writes nothing.
func (t *typedEncoder) try(ctx context.Context, columns *schema.Columns) (bool, error) {
	if t.values.NullBadValues {
		return false, nil
	}
	e, err := t.evolve(ctx, keep)
	if err != nil {
		return false, err
	}
	extended, err := t.extend(e, columns.Names)
	if err != nil {
		return false, err
	}
	if extended != nil {
		e = extended
	}
	e.SetID(len(e.Fields), unassignedID)
	t.typed, err = encoding.NewTyped(&t.values.Options, e, columns)
	return true, err
}

// registered is the version with which rows of the header can be encoded without the
// registry, also while another header waits for it; nil if the header must be
// registered.
func (t *typedEncoder) registered(ctx context.Context, names []string) (*encoding.Evolution, error) {
	v := t.values
	e, err := t.evolve(ctx, keep)
	if err != nil || e == nil || !v.Format.Registered() || e.Format != v.Format || t.renamed(e) {
		return nil, err
	}
	e, err = e.Published(names, &v.Columns)
	return e, schemaChanged(err)
}

// registerHeader adds the header's columns to the ledger and the registry.
func (t *typedEncoder) registerHeader(ctx context.Context, names []string) (*encoding.Evolution, error) {
	t.values.extending.Lock()
	defer t.values.extending.Unlock()
	e, err := t.evolve(ctx, func(e *encoding.Evolution) (*encoding.Evolution, error) { return t.extend(e, names) })
	if err != nil || !t.values.Format.Registered() {
		return e, err
	}
	if _, known := e.ID(len(e.Fields)); known {
		return e, nil
	}
	return t.register(ctx, e)
}

// renamed reports whether the configured name of the schema differs from that of its
// versions. Evolutions written by the previous release have no record name.
func (t *typedEncoder) renamed(e *encoding.Evolution) bool {
	return e.Subject != t.values.Subject || e.Record != "" && e.Record != t.values.Record
}

// schemaChanged converts a *encoding.ConflictError to a *changedError.
func schemaChanged(err error) error {
	if err == nil {
		return nil
	}
	return &changedError{detail: err.Error(), err: err}
}

// extend adds fields for new columns.
func (t *typedEncoder) extend(e *encoding.Evolution, names []string) (*encoding.Evolution, error) {
	v := t.values
	switch {
	case e == nil:
		e = &encoding.Evolution{Format: v.Format, Topic: t.topic}
	case e.Format != v.Format:
		return nil, formatChanged(t.stream, t.topic, e.Format, v.Format)
	}
	added, err := e.Extend(names, &v.Columns)
	if err != nil {
		return nil, schemaChanged(err)
	}
	if v.Format.Registered() && (t.renamed(e) || e.Record == "") {
		if t.renamed(e) {
			e.ForgetIDs() // the fields are registered again with the new name
		}
		e.Subject, e.Record = v.Subject, v.Record
		added++
	}
	_, known := e.ID(len(e.Fields))
	if added == 0 && len(e.Fields) > 0 && (known || !v.Format.Registered()) {
		return nil, nil
	}
	return e, nil // also fields that are in the ledger: only the owner can write them again, and may register them
}

// schemaOf is the schema of the first n fields, as registered.
func (t *typedEncoder) schemaOf(e *encoding.Evolution, n int) (*registry.Schema, error) {
	record := e.Record
	if record == "" {
		record = t.values.Record
	}
	text, err := t.values.Format.SchemaText(record, e.Fields[:n])
	types := map[encoding.Format]sr.SchemaType{encoding.FormatAvro: sr.TypeAvro, encoding.FormatProtobuf: sr.TypeProtobuf, encoding.FormatJSONSchema: sr.TypeJSON}
	return &registry.Schema{Subject: e.Subject, Type: types[t.values.Format], Text: text}, err
}

func (t *typedEncoder) register(ctx context.Context, e *encoding.Evolution) (*encoding.Evolution, error) {
	n := len(e.Fields)
	s, err := t.schemaOf(e, n)
	if err != nil {
		return nil, err
	}
	id, err := t.values.Registry.Register(ctx, s)
	if err == nil {
		err = reassigned(e, n, id)
	}
	if err != nil {
		if failed, ok := errors.AsType[*registry.Error](err); ok && !failed.Wait {
			_, dropped := t.evolve(ctx, func(e *encoding.Evolution) (*encoding.Evolution, error) {
				e.DropProvisional()
				return e, nil
			})
			err = errors.Join(err, dropped)
		}
		return nil, err
	}
	return t.evolve(ctx, func(e *encoding.Evolution) (*encoding.Evolution, error) {
		e.SetID(n, id)
		return e, nil
	})
}

// reassigned is the error for an id that another version already has: a registry that was
// emptied during the export assigns it again.
func reassigned(e *encoding.Evolution, n, id int) error {
	for _, v := range e.Versions {
		if v.ID == id && v.Fields != n {
			return &registry.Error{Code: schema.RegistryLost, Detail: fmt.Sprintf("the schema of %d columns of subject %s was given id %d, which the one of %d columns had", n, e.Subject, id, v.Fields)}
		}
	}
	return nil
}

// maxCell limits how much a dead letter shows of a cell that its type refuses.
const maxCell = 64

// shown is what messages show of a cell: its start, without the source's secrets. A cell is in
// dead letters, and in the reason why a stream is halted.
func (t *typedEncoder) shown(cell []byte) []byte {
	if len(cell) > maxCell {
		return t.redact(bytes.ToValidUTF8(cell[:maxCell], nil))
	}
	const end = "\n" // so that the end of the cell is not taken for a cut secret
	return bytes.TrimSuffix(t.redact(append(bytes.Clone(cell), end...)), []byte(end))
}

// Append implements encoding.Encoder.
func (t *typedEncoder) Append(dst []byte, row *schema.Row) ([]byte, error) {
	out, err := t.typed.Append(dst, row)
	refused, ok := errors.AsType[*encoding.ValueError](err)
	if !ok {
		return out, err
	}
	reason := fmt.Sprintf("column %s: its cell is no %s", refused.Column, refused.Type)
	if !t.hideCells {
		reason = fmt.Sprintf("column %s: %q is no %s", refused.Column, t.shown(refused.Cell), refused.Type)
	}
	return dst, row.Bad(schema.BadValue, schema.OriginSchema, "a cell is no value of its column's type", reason)
}
