package transfer

import (
	"context"

	"dfinery-kafka/schema"
)

// Admit makes the ledger accept the columns of a stream's header. It returns those that
// the stream never had, if STREAM_X_CONTRACT=freeze refuses them.
type Admit func(ctx context.Context, stream string, header []string) (refused []string, err error)

// admit makes the ledger accept the columns before the first row, good or bad. It may block,
// as no lock is held.
func (e *Export) admit(ctx context.Context) error {
	if e.runner.Admit == nil {
		return nil
	}
	refused, err := e.runner.Admit(ctx, e.stream.Name, e.Columns.Names)
	if err != nil {
		return interrupted(&e.Call, err)
	}
	if len(refused) > 0 {
		return frozen(&e.Call, refused)
	}
	return nil
}

// frozen is the failure of an export whose header has columns that its stream never had.
func frozen(call *schema.Export, refused []string) *schema.Failure {
	return call.Failure(schema.NewColumn, schema.OriginSchema, "the header has columns that the stream never had, and its contract is frozen: "+shortList(refused, 20))
}
