package connector

import (
	"context"
	"encoding/json"

	"dfinery-kafka/connector/exportapi"
	"dfinery-kafka/connector/limiter"
	"dfinery-kafka/schema"
)

// FakeBody has the methods of a body that a Source uses.
type FakeBody = body

// NewFakeSource returns a Source whose calls are made by export instead of a Client.
func NewFakeSource(export func(context.Context, schema.Export) (FakeBody, error), p limiter.Policy, state json.RawMessage) (*Source, error) {
	return newSource(export, new(exportapi.LineEndLearner), p, state)
}
