package transfer

import (
	"context"
	"errors"

	"dfinery-kafka/schema"
	"dfinery-kafka/schema/registry"
)

// registryFailure converts an error of the registry, or a shutdown, to an export's
// failure; any other error is returned unchanged.
func registryFailure(call *schema.Export, err error) error {
	cancelled := errors.Is(err, context.Canceled)
	failed, ok := errors.AsType[*registry.Error](err)
	if !cancelled && !ok {
		return err
	}
	code := schema.RegistryUnavailable
	if !cancelled && !failed.Wait {
		code = failed.Code
	}
	f := call.Failure(code, schema.OriginSchema, err.Error())
	f.Err = err
	if cancelled {
		f.Class = schema.Cancelled
	}
	return f
}
