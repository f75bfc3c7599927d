package transfer

import (
	"context"
	"errors"
	"fmt"

	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
	"dfinery-kafka/schema/registry"
)

// verifier is an encoder that must check something before a call is made.
type verifier interface{ verify(context.Context) error }

func verify(ctx context.Context, e encoding.Encoder) error {
	if v, ok := e.(verifier); ok {
		return v.verify(ctx)
	}
	return nil
}

// verify looks up versions by their ids before a call is made: all of them once per
// process, then only the newest. An emptied registry assigns old ids to new schemas:
// readers would then decode old rows wrongly without an error. Such a registry lacks
// the newest version first.
func (t *typedEncoder) verify(ctx context.Context) error {
	if !t.values.Format.Registered() {
		return nil
	}
	e, err := t.evolve(ctx, keep)
	if err != nil {
		return err
	}
	if e == nil || e.Format != t.values.Format {
		t.values.lookedUp.Store(true) // there are no versions but those that this process registers
		return nil
	}
	if !e.Registered() {
		return t.registerFirst(ctx)
	}
	for i, v := range e.Versions {
		if v.ID == 0 { // removed after the registry was lost
			continue
		}
		if t.values.lookedUp.Load() && i < len(e.Versions)-1 {
			continue
		}
		s, err := t.schemaOf(e, v.Fields)
		if err != nil {
			return err
		}
		id, err := t.values.Registry.Lookup(ctx, s)
		switch failed, ok := errors.AsType[*registry.Error](err); {
		case err == nil && id == v.ID:
		case ok && failed.Wait && t.values.lookedUp.Load():
			return nil
		case ok && failed.Code != schema.SchemaUnknown:
			return err
		case err != nil && !ok:
			return err
		default:
			return &registry.Error{Code: schema.RegistryLost, Err: err, Detail: fmt.Sprintf("the schema of %d columns of subject %s had id %d, and has id %d now", v.Fields, e.Subject, v.ID, id)}
		}
	}
	t.values.lookedUp.Store(true)
	return nil
}

// registerFirst registers fields for which the registry had no answer before, while no version
// is registered: calls are of no use until it has one. With a version, the next header may be
// a known one.
func (t *typedEncoder) registerFirst(ctx context.Context) error {
	t.values.extending.Lock()
	defer t.values.extending.Unlock()
	waits := func(e *encoding.Evolution) bool {
		return e != nil && len(e.Fields) > 0 && !e.Registered() && !t.renamed(e)
	}
	e, err := t.evolve(ctx, func(e *encoding.Evolution) (*encoding.Evolution, error) {
		if waits(e) {
			return e, nil // only the owner can write them again, and may register them
		}
		return nil, nil
	})
	if err == nil && waits(e) {
		_, err = t.register(ctx, e)
	}
	if err != nil {
		return err
	}
	t.values.lookedUp.Store(true)
	return nil
}
