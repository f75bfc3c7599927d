package pipeline

import (
	"context"

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

// changeRecord has the owner's loop change the service's record, and waits until
// the ledger has it. The caller holds no lock.
func (t *tenure) changeRecord(ctx context.Context, apply func(*ledger.Service) (bool, error)) error {
	c := &serviceChange{apply: apply, done: make(chan error, 1)}
	select {
	case t.changes <- c:
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

// writeChange applies a change and writes it. An error is Kafka's.
func (t *tenure) writeChange(ctx context.Context, c *serviceChange) error {
	changed, err := c.apply(&t.serviceRecord)
	if err != nil || !changed {
		c.done <- err
		return nil
	}
	t.refreshServiceRecord()
	err = t.writer.Service(&t.serviceRecord)
	if err == nil {
		err = t.session.Flush(ctx, t.writer.State)
	}
	c.done <- err
	return err
}

// noteFormats writes down the format of topics that hold rows of which no format
// is known: releases before wrote JSON alone. was are the identities of the
// streams as the ledger had them.
func (t *tenure) noteFormats(was map[string]ledger.Stream) {
	for st := range t.service.streams {
		kept := was[st.Name]
		if t.serviceRecord.Schemas[st.Name] != nil || !kept.HasRows || schedule.TopicOf(kept.Identity) != st.Topic {
			continue
		}
		if t.serviceRecord.Schemas == nil {
			t.serviceRecord.Schemas = map[string]*ledger.Schemas{}
		}
		t.serviceRecord.Schemas[st.Name] = &ledger.Schemas{Format: encoding.FormatJSON, Topic: st.Topic, Fields: []encoding.Field{}}
	}
}

// acceptIDs gives the ids up that the registry has lost: resuming the stream
// accepts new ones.
func (t *tenure) acceptIDs(stream string) {
	if s := t.serviceRecord.Schemas[stream]; s != nil && t.schedule.HaltedBy(stream) == schema.RegistryLost {
		e := s.Evolution()
		e.ForgetIDs()
		s.Set(e)
	}
}

// evolver returns what changes the schemas that the ledger has of a stream.
func (t *tenure) evolver(stream string) transfer.Evolve {
	return func(ctx context.Context, change func(*encoding.Evolution) (*encoding.Evolution, error)) (*encoding.Evolution, error) {
		var result *encoding.Evolution
		err := t.changeRecord(ctx, func(service *ledger.Service) (bool, error) {
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
