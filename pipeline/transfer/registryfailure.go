package transfer

import (
	"context"
	"errors"

	"dfinery-kafka/schema"
	"dfinery-kafka/schema/registry"
)

// registryFailure makes an export's failure of what the registry answered, or of
// a shutdown meanwhile; any other error is returned as it is.
func registryFailure(call *schema.Export, err error) error {
	f := &schema.Failure{Export: *call, Origin: schema.OriginSchema, Err: err}
	failed, ok := errors.AsType[*registry.Error](err)
	switch {
	case errors.Is(err, context.Canceled):
		f.Code, f.Class = schema.RegistryUnavailable, schema.Cancelled
	case !ok:
		return err
	case failed.Wait:
		f.Code = schema.RegistryUnavailable
	default:
		f.Code = failed.Code
	}
	rule := schema.RuleOf(f.Code)
	if f.Class != schema.Cancelled {
		f.Class = rule.Class
	}
	f.Message = err.Error()
	f.Detail = call.String() + ": " + err.Error() + "; " + rule.Advice
	return f
}
