package pipeline

import (
	"context"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/transfer"
)

// admitter returns what an export of the stream asks before the first row below a
// header.
func (o *owner) admitter(stream string) transfer.Admit {
	return func(ctx context.Context, header []string) ([]string, error) {
		answer := make(chan []string, 1)
		err := o.record.change(ctx, func(*ledger.Service) (bool, error) {
			refused, changed, events := o.schedule.AdmitColumns(stream, header)
			o.tell(events)
			answer <- refused
			return changed, nil
		})
		if err != nil {
			return nil, err
		}
		return <-answer, nil
	}
}
