package transfer

import (
	"context"
	"iter"

	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
)

// head registers the header of an export before its first row that can be encoded. A header
// without such a row registers nothing: then a declared type that suits no cell can still be
// corrected.
type head struct {
	columns    *schema.Columns
	tried      bool // the encoder can attempt rows
	registered bool // the encoder can encode rows
}

// tentative is an encoder that may refuse rows. try reports whether it does; then Append is an
// attempt until Header is called: what it refuses is refused for good, what it returns must not
// be published.
type tentative interface {
	try(context.Context, *schema.Columns) (refuses bool, err error)
}

func try(ctx context.Context, e encoding.Encoder, columns *schema.Columns) (refuses bool, err error) {
	if t, ok := e.(tentative); ok {
		return t.try(ctx, columns)
	}
	return false, nil
}

// register registers the header if one of the rows can be encoded. It may block, as no lock
// is held.
func (h *head) register(ctx context.Context, e encoding.Encoder, rows iter.Seq[*schema.Row]) error {
	for row := range rows {
		if !h.tried {
			var err error
			if h.tried, err = try(ctx, e, h.columns); err != nil {
				return err
			}
		}
		if h.tried {
			if _, err := e.Append(nil, row); err != nil {
				continue
			}
		}
		h.registered = true
		return e.Header(ctx, h.columns)
	}
	return nil
}
