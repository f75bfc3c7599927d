package pipeline

import (
	"context"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
)

// change changes the service's record in the owner's loop, and waits until it is in the
// ledger. If apply returns an error, nothing is changed and the loop continues. The
// caller must not hold a lock.
func (r *serviceRecord) change(ctx context.Context, apply func(*ledger.Service) (changed bool, err error)) error {
	var refused error
	err := r.calls.do(ctx, func(ctx context.Context) error {
		changed, err := apply(&r.content)
		if err != nil || !changed {
			refused = err
			return nil
		}
		return r.write(ctx)
	})
	if err != nil {
		return err
	}
	return refused
}

// noteFormats stores the format of topics with rows of unknown format: earlier releases
// wrote only JSON. was are the identities of the streams in the ledger.
func (r *serviceRecord) noteFormats(streams []transfer.Stream, was map[string]ledger.Stream) {
	for i := range streams {
		name := streams[i].Name
		kept := was[name]
		topic := schedule.TopicOf(kept.Identity)
		if r.content.Schemas[name] != nil || !kept.HasRows || topic == "" {
			continue
		}
		if r.content.Schemas == nil {
			r.content.Schemas = map[string]*ledger.Schemas{}
		}
		r.content.Schemas[name] = &ledger.Schemas{Format: encoding.FormatJSON, Topic: topic, Fields: []encoding.Field{}}
	}
}

// acceptIDs removes the ids that the registry has lost: resuming the stream accepts new
// ones.
func (r *serviceRecord) acceptIDs(stream string) {
	s, st := r.content.Schemas[stream], r.schedule.Stream(stream)
	if s == nil || st.HaltedBy() != schema.RegistryLost {
		return
	}
	if e := s.Of(st.Topic); e != nil {
		e.ForgetIDs()
		s.Set(e)
	}
}

// evolver returns the function that changes the schemas of a stream's topic in the ledger.
func (r *serviceRecord) evolver(stream string) transfer.Evolve {
	return func(ctx context.Context, change func(*encoding.Evolution) (*encoding.Evolution, error)) (*encoding.Evolution, error) {
		var result *encoding.Evolution
		err := r.change(ctx, func(service *ledger.Service) (bool, error) {
			was := service.Schemas[stream]
			var now *encoding.Evolution
			if was != nil {
				topic := r.schedule.Stream(stream).Topic
				now, result = was.Of(topic), was.Of(topic)
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
			result = next.Clone()
			service.Schemas[stream] = was
			return true, nil
		})
		if err != nil {
			return nil, err
		}
		return result, nil
	}
}
