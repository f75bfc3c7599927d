package pipeline

import (
	"context"
	"fmt"
	"time"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/preview"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

// PlanPreview reads from Kafka what a preview of a stream's day needs, and returns the
// source with which to make its call. It neither makes a call nor writes anything. An
// unknown stream is an error.
func (r *Reader) PlanPreview(ctx context.Context, stream string, day schema.Day) (*preview.Plan, Source, error) {
	p := &preview.Plan{Codec: r.config.Codec, Redact: r.config.Redact}
	st := transfer.Named(r.config.Streams, stream)
	if st == nil {
		return nil, nil, fmt.Errorf("there is no stream %q", stream)
	}
	p.Stream = *st
	record, err := r.planCall(ctx, p, day)
	if err != nil {
		return nil, nil, err
	}
	source, err := r.config.NewSource(record.Source, record.LineEnds)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errSource, err)
	}
	return p, source, r.lookAtTopics(ctx, p)
}

// planCall prepares the call as the owner would, according to the ledger.
func (r *Reader) planCall(ctx context.Context, p *preview.Plan, day schema.Day) (*ledger.Service, error) {
	stored, now := r.config.Ledger(), time.Now()
	days, record := r.config.newSchedule(now), new(ledger.Service)
	state, err := stored.Load(ctx)
	switch {
	case cluster.Missing(err): // nothing was published yet
	case err != nil:
		return nil, err
	default:
		if state.Service != nil {
			record = state.Service
		}
		days.Load(record, confirmed(state, stored.Rows), now)
	}
	p.CheckHeader = func(_ context.Context, stream string, h *schedule.Header) (*schedule.HeaderRefusal, error) {
		refused, _ := days.Stream(stream).CheckHeader(h)
		return refused, nil
	}
	if kept := record.Schemas[p.Stream.Name]; kept != nil {
		p.Schemas = kept.Of(p.Stream.Topic)
	}
	if kept := record.Profiles[p.Stream.Name]; p.Stream.Changes && kept != nil {
		p.Topic.Pinned = kept.Partitions
	}
	p.Call = days.Begin(schedule.Due{Stream: p.Stream.Name, Day: day}, now)
	return record, nil
}

// lookAtTopics determines the partitions and the maximum batch size of the topics.
// Missing topics would be created.
func (r *Reader) lookAtTopics(ctx context.Context, p *preview.Plan) error {
	names := []string{p.Stream.Topic, r.config.DeadLetterTopic}
	topics, err := r.config.Cluster.Topics(ctx, names...)
	if err != nil {
		return err
	}
	configs, err := r.config.Cluster.TopicConfigs(ctx, names...)
	if err != nil {
		return err
	}
	for i, into := range []*preview.Topic{&p.Topic, &p.Letters} {
		into.Name, into.Partitions, into.MaxBatch = names[i], r.config.Partitions, producer.DefaultLimit
		switch why := topics[i].Err; {
		case cluster.Missing(why):
			into.Pinned = 0
			continue
		case why != nil:
			return fmt.Errorf("describe topic %s: %w", names[i], why)
		}
		into.Exists, into.Partitions = true, len(topics[i].Partitions)
		if most := configs[i].MaxBatch(); configs[i].Err == nil && most > 0 {
			into.MaxBatch = most
		}
	}
	return nil
}
