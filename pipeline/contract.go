package pipeline

import (
	"context"
	"time"

	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
)

// contract keeps what the ledger accepts of the streams' headers.
type contract struct {
	schedule  *schedule.State
	record    *serviceRecord
	transfers *transfer.Runner
	announcer *announcer
}

// admitter returns what an export of the stream asks before the first row below a
// header.
func (c *contract) admitter(stream string) transfer.Admit {
	return func(ctx context.Context, header []string) ([]string, error) {
		var refused []string
		err := c.record.change(ctx, func(*ledger.Service) (changed bool, _ error) {
			var events []schedule.Event
			refused, changed, events = c.schedule.Stream(stream).AdmitColumns(header)
			c.announcer.tell(events)
			return changed, nil
		})
		if err != nil {
			return nil, err
		}
		return refused, nil
	}
}

// checkHeader has the ledger accept a header of a stream that hides columns, or returns
// why it is refused.
func (c *contract) checkHeader(ctx context.Context, stream string, h *schedule.Header) (*schedule.HeaderRefusal, error) {
	var refused *schedule.HeaderRefusal
	err := c.record.change(ctx, func(*ledger.Service) (changed bool, _ error) {
		refused, changed = c.schedule.Stream(stream).CheckHeader(h)
		return changed, nil
	})
	if err != nil {
		return nil, err
	}
	return refused, nil
}

// resume has a stream go on at once. If it hashes with another key than before, its
// days in reach start over.
func (c *contract) resume(stream string, now time.Time) {
	days, events := c.schedule.Stream(stream).AcceptKey(now.UTC())
	for _, day := range days {
		c.transfers.Day(ledger.DayName{Stream: stream, Day: day}).Rows = dedup.Day{}
	}
	c.announcer.tell(events)
	c.record.resume(stream, now)
}
