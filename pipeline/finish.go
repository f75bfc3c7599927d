package pipeline

import (
	"context"
	"errors"
	"time"

	"dfinery-kafka/pipeline/transfer"
)

// finish handles an export that has ended: its rows and its outcome are written to the
// ledger at once. The outcome to log is nil for a successful replay, and for an export
// ended by Kafka.
func (o *owner) finish(ctx context.Context, e *transfer.Export) (*outcome, error) {
	o.transfers.TakeBack(e)
	if e.Replay != nil && e.Err == nil {
		return nil, o.checkpoint(ctx)
	}
	ended := &outcome{export: e, code: codeOK}
	switch {
	case errors.As(e.Err, &ended.failure):
		ended.code = ended.failure.Code
	case e.Err != nil:
		return nil, e.Err // an error of Kafka
	}
	o.announcer.count(ended)
	o.exports.acceptCuts(time.Now().UTC())
	return ended, o.checkpoint(ctx)
}
