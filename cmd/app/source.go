package app

import (
	"context"
	"encoding/json"
	"time"

	"dfinery-kafka/connector"
	"dfinery-kafka/pipeline"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

// Source makes a source with the state of the previous ones from the ledger. hint tells what an
// operator should decide; empty if nothing.
func (a *App) Source(state, lineEnds json.RawMessage) (source *connector.Source, hint string, err error) {
	if err := a.client.LineEnds.Restore(lineEnds); err != nil {
		return nil, "", err
	}
	if source, err = connector.NewSource(a.client, a.Policy(), state); err != nil {
		return nil, "", err
	}
	return source, a.client.LineEnds.Hint(), nil
}

// newSource makes the source of an ownership.
func (a *App) newSource(state, lineEnds json.RawMessage) (pipeline.Source, error) {
	source, hint, err := a.Source(state, lineEnds)
	if err != nil {
		return nil, err
	}
	if hint != "" {
		a.log.Warn("last lines without a newline", "do", hint)
	}
	a.transitions.begin(source)
	return adapter{source}, nil
}

// adapter adapts the connector's source to the pipeline's interface, so that neither package
// imports the other.
type adapter struct{ *connector.Source }

// Reserve implements pipeline.Source. A nil *connector.Permit must not become a non-nil interface.
func (a adapter) Reserve(now time.Time, spare int) (pipeline.Permit, schema.Wait) {
	permit, wait := a.Source.Reserve(now, spare)
	if permit == nil {
		return nil, wait
	}
	return permitAdapter{permit}, wait
}

type permitAdapter struct{ *connector.Permit }

// Export implements pipeline.Permit.
func (p permitAdapter) Export(ctx context.Context, e schema.Export) (transfer.Body, error) {
	body, err := p.Permit.Export(ctx, e)
	if err != nil {
		return nil, err
	}
	return body, nil
}
