package transfer

import (
	"context"
	"fmt"

	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
)

// plainEncoder encodes the rows of one export in a format without types. It refuses a
// topic that has values of another format, and writes to the ledger that its topic has
// values of this one.
type plainEncoder struct {
	encoding.JSON
	stream, topic string
	evolve        Evolve
}

// Header implements encoding.Encoder.
func (p *plainEncoder) Header(ctx context.Context, columns *schema.Columns) error {
	_, err := p.evolve(ctx, func(e *encoding.Evolution) (*encoding.Evolution, error) {
		switch {
		case e == nil:
			return &encoding.Evolution{Format: encoding.FormatJSON, Topic: p.topic, Fields: []encoding.Field{}}, nil
		case e.Format != encoding.FormatJSON:
			return nil, formatChanged(p.stream, p.topic, e.Format, encoding.FormatJSON)
		}
		return nil, nil
	})
	if err != nil {
		return err
	}
	return p.JSON.Header(ctx, columns)
}

// formatChanged is the error for a format that differs from that of the topic's values.
func formatChanged(stream, topic string, was, is encoding.Format) error {
	return &changedError{detail: fmt.Sprintf("topic %s has values of the format %s, but the stream's format is %s now; set another %s, or the former format",
		topic, was, is, schema.StreamVariable(stream, "TOPIC"))}
}
