package app

import (
	"context"
	"errors"

	"dfinery-kafka/pipeline/preview"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/registry"
)

// registerNothing makes the streams look up their schemas instead of registering
// them. A schema that would be registered has the id preview.UnassignedSchemaID.
func registerNothing(streams []transfer.Stream, mayRegister bool) {
	for i := range streams {
		if v := streams[i].Values; v != nil && v.Registry != nil {
			v.Registry = lookupOnly{v.Registry, mayRegister}
		}
	}
}

type lookupOnly struct {
	transfer.SchemaRegistry
	mayRegister bool
}

// Register implements transfer.SchemaRegistry.
func (l lookupOnly) Register(ctx context.Context, s *registry.Schema) (int, error) {
	id, err := l.Lookup(ctx, s)
	if failed, ok := errors.AsType[*registry.Error](err); ok && failed.Code == schema.SchemaUnknown && l.mayRegister {
		return preview.UnassignedSchemaID, nil
	}
	return id, err
}
