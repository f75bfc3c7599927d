package transfer

import (
	"context"
	"errors"
	"fmt"

	"dfinery-kafka/schema/encoding"
	"dfinery-kafka/schema/registry"
)

// verifier is an encoder that has something to look after before a call is made.
type verifier interface{ verify(context.Context) error }

func verify(ctx context.Context, e encoding.Encoder) error {
	if v, ok := e.(verifier); ok {
		return v.verify(ctx)
	}
	return nil
}

// verify looks versions up under their ids before a call is made: all of them once
// in a process, then the newest alone. An emptied registry gives old ids to new
// schemas: readers would then read old rows wrong without an error. It lacks the
// newest version first of all.
func (t *typedEncoder) verify(ctx context.Context) error {
	if !t.values.Format.Registered() {
		return nil
	}
	e, err := t.evolve(ctx, keep)
	if err != nil || e == nil || e.Topic != t.topic || e.Format != t.values.Format {
		return err
	}
	for i, v := range e.Versions {
		if v.ID == 0 { // given up after the registry was lost
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
		case ok && failed.Code != registry.Unknown:
			return err
		case err != nil && !ok:
			return err
		default:
			return &registry.Error{Code: registry.Lost, Err: err, Detail: fmt.Sprintf("the schema of %d columns of subject %s had the id %d, now it has %d", v.Fields, e.Subject, v.ID, id)}
		}
	}
	t.values.lookedUp.Store(true)
	return nil
}
