package pipeline

import (
	"context"
	"iter"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
)

// serviceChange is a change of the service's record that an export asks for.
type serviceChange struct {
	apply func(*ledger.Service) (changed bool, err error)
	done  chan error // of one, buffered
}

// change has the owner's loop change the service's record, and waits until
// the ledger has it. The caller holds no lock.
func (r *serviceRecord) change(ctx context.Context, apply func(*ledger.Service) (bool, error)) error {
	c := &serviceChange{apply: apply, done: make(chan error, 1)}
	select {
	case r.changes <- c:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-c.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// apply applies a change and writes it. An error is Kafka's.
func (r *serviceRecord) apply(ctx context.Context, c *serviceChange) error {
	changed, err := c.apply(&r.content)
	if err != nil || !changed {
		c.done <- err
		return nil
	}
	err = r.write(ctx)
	c.done <- err
	return err
}

// noteFormats writes down the format of topics that hold rows of which no format
// is known: releases before wrote JSON alone. was are the identities of the
// streams as the ledger had them.
func (r *serviceRecord) noteFormats(streams iter.Seq[*transfer.Stream], was map[string]ledger.Stream) {
	for st := range streams {
		kept := was[st.Name]
		if r.content.Schemas[st.Name] != nil || !kept.HasRows || schedule.TopicOf(kept.Identity) != st.Topic {
			continue
		}
		if r.content.Schemas == nil {
			r.content.Schemas = map[string]*ledger.Schemas{}
		}
		r.content.Schemas[st.Name] = &ledger.Schemas{Format: encoding.FormatJSON, Topic: st.Topic, Fields: []encoding.Field{}}
	}
}

// acceptIDs gives the ids up that the registry has lost: resuming the stream
// accepts new ones.
func (r *serviceRecord) acceptIDs(stream string) {
	if s := r.content.Schemas[stream]; s != nil && r.schedule.HaltedBy(stream) == schema.RegistryLost {
		e := s.Evolution()
		e.ForgetIDs()
		s.Set(e)
	}
}

// evolver returns what changes the schemas that the ledger has of a stream.
func (r *serviceRecord) evolver(stream string) transfer.Evolve {
	return func(ctx context.Context, change func(*encoding.Evolution) (*encoding.Evolution, error)) (*encoding.Evolution, error) {
		var result *encoding.Evolution
		err := r.change(ctx, func(service *ledger.Service) (bool, error) {
			was := service.Schemas[stream]
			var now *encoding.Evolution
			if was != nil {
				now, result = was.Evolution(), was.Evolution()
			}
			next, err := change(now)
			if err != nil || next == nil {
				return false, err
			}
			if was == nil {
				was = new(ledger.Schemas)
			}
			if service.Schemas == nil {
				service.Schemas = map[string]*ledger.Schemas{}
			}
			was.Set(next)
			result = was.Evolution()
			service.Schemas[stream] = was
			return true, nil
		})
		if err != nil {
			return nil, err
		}
		return result, nil
	}
}
