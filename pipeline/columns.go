package pipeline

import (
	"context"
	"time"

	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
)

// admitter returns what an export of the stream asks before the first row below a
// header.
func (o *owner) admitter(stream string) transfer.Admit {
	return func(ctx context.Context, header []string) ([]string, error) {
		var refused []string
		err := o.record.change(ctx, func(*ledger.Service) (changed bool, _ error) {
			var events []schedule.Event
			refused, changed, events = o.schedule.AdmitColumns(stream, header)
			o.tell(events)
			return changed, nil
		})
		if err != nil {
			return nil, err
		}
		return refused, nil
	}
}

// checkHeader has the ledger accept a header of a stream that hides columns, or returns why it is refused.
func (o *owner) checkHeader(ctx context.Context, stream string, h *schedule.Header) (*schedule.HeaderRefusal, error) {
	var refused *schedule.HeaderRefusal
	err := o.record.change(ctx, func(*ledger.Service) (changed bool, _ error) {
		refused, changed = o.schedule.CheckHeader(stream, h)
		return changed, nil
	})
	if err != nil {
		return nil, err
	}
	return refused, nil
}

// resume has a stream go on at once. If it hashes with another key than before, its days in reach start over.
func (o *owner) resume(stream string, now time.Time) {
	days, events := o.schedule.AcceptKey(stream, now.UTC())
	for _, day := range days {
		o.transfers.Day(ledger.DayName{Stream: stream, Day: day}).Rows = dedup.Day{}
	}
	o.tell(events)
	o.record.resume(stream, now)
}
