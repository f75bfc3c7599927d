package pipeline

import (
	"context"

	"dfinery-kafka/pipeline/ledger"
)

// saveAbsent writes the marks of a stream's absent profiles, and returns their ranges
// once they are acknowledged.
func (c *checkpointer) saveAbsent(ctx context.Context, stream string, export int, marks []byte) ([]ledger.Range, error) {
	if len(marks) == 0 {
		return nil, nil
	}
	before, err := c.lookUpPosition(ctx, c.partitions.rows)
	if err != nil {
		return nil, err
	}
	if err := c.writer.Marks(stream, export, marks); err != nil {
		return nil, err
	}
	if err := c.session.Flush(ctx, c.writer.Rows); err != nil {
		return nil, err
	}
	after, err := c.lookUpPosition(ctx, c.partitions.rows)
	if err != nil {
		return nil, err
	}
	return []ledger.Range{{int64(c.partitions.rows.Partition), before.Next, after.Next}}, nil
}
