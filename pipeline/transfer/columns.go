package transfer

import (
	"context"
	"fmt"
	"strings"

	"dfinery-kafka/schema"
)

// Admit has the ledger accept the columns of a header. It returns those that the
// stream never had, if STREAM_X_CONTRACT=freeze refuses them.
type Admit func(ctx context.Context, header []string) (refused []string, err error)

// head prepares for the first row below a header, sound or not. Nothing was written
// of the header's rows before. No lock is held: it may wait.
func (e *Export) head(ctx context.Context) error {
	if e.runner.Admit != nil {
		refused, err := e.runner.Admit(e.stream.Name)(ctx, e.Columns.Names)
		if err != nil {
			return registryFailure(&e.Call, err)
		}
		if len(refused) > 0 {
			return frozen(&e.Call, refused)
		}
	}
	if err := e.records.value.encoder.Header(ctx, e.Columns); err != nil {
		return registryFailure(&e.Call, err)
	}
	return nil
}

// mostNamed bounds the columns that a message names.
const mostNamed = 20

// frozen is the failure of an export whose header has columns that its stream never had.
func frozen(call *schema.Export, refused []string) *schema.Failure {
	names := strings.Join(refused[:min(mostNamed, len(refused))], ", ")
	if more := len(refused) - mostNamed; more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	rule := schema.RuleOf(schema.NewColumn)
	what := "the header has columns that the stream never had, and its contract is frozen: " + names
	return &schema.Failure{Export: *call, Origin: schema.OriginSchema, Code: rule.Code, Class: rule.Class, Message: what,
		Detail: call.String() + ": " + what + "; " + rule.Advice}
}
