package pipeline

import (
	"context"
	"time"

	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
)

// contract decides which headers of the streams are accepted, and stores that in the
// ledger.
type contract struct {
	schedule  *schedule.State
	record    *serviceRecord
	transfers *transfer.Runner
	announcer *announcer
}

// admit admits the columns of a stream's header, and writes that to the ledger.
func (c *contract) admit(ctx context.Context, stream string, header []string) ([]string, error) {
	var refused []string
	err := c.record.change(ctx, func(*ledger.Service) (changed bool, _ error) {
		var events []schedule.Event
		refused, changed, events = c.schedule.Stream(stream).AdmitColumns(header)
		c.announcer.announce(events)
		return changed, nil
	})
	if err != nil {
		return nil, err
	}
	return refused, nil
}

// checkHeader accepts a header of a stream that hides columns and writes that to the
// ledger, or returns why the header is refused.
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

// resume resumes a stream immediately. If it now hashes with another key, its days in
// reach start over.
func (c *contract) resume(stream string, now time.Time) {
	days, events := c.schedule.Stream(stream).AcceptKey(now.UTC())
	for _, day := range days {
		c.transfers.Day(ledger.DayName{Stream: stream, Day: day}).Rows = dedup.Day{}
	}
	c.announcer.announce(events)
	c.record.resume(stream, now)
}
