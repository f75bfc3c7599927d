package transfer

import (
	"context"
	"errors"

	"dfinery-kafka/schema"
	"dfinery-kafka/schema/registry"
)

// changedError reports that values of an export don't suit those that the stream's topic
// has: it is schema.SchemaChanged, without a registry.
type changedError struct {
	detail string
	err    error
}

func (e *changedError) Error() string { return string(schema.SchemaChanged) + ": " + e.detail }

func (e *changedError) Unwrap() error { return e.err }

// schemaFailure converts why values can't be encoded to an export's failure: an error of
// the registry, a *changedError, or a shutdown. Any other error is returned unchanged.
func schemaFailure(call *schema.Export, err error) error {
	var code schema.Code
	if errors.Is(err, context.Canceled) {
		return interrupted(call, err)
	} else if failed, ok := errors.AsType[*registry.Error](err); ok {
		code = failed.Code
		if failed.Wait {
			code = schema.RegistryUnavailable
		}
	} else if _, ok := errors.AsType[*changedError](err); ok {
		code = schema.SchemaChanged
	} else {
		return err
	}
	f := call.Failure(code, schema.OriginSchema, err.Error())
	f.Err = err
	return f
}

// interrupted converts a shutdown to a failure, which has no dead letter; any other error
// is returned unchanged.
func interrupted(call *schema.Export, err error) error {
	if !errors.Is(err, context.Canceled) {
		return err
	}
	return &schema.Failure{Code: schema.Connection, Class: schema.Cancelled, Origin: schema.OriginKafka, Export: *call, Message: err.Error(),
		Detail: call.String() + ": " + err.Error(), Err: err}
}
