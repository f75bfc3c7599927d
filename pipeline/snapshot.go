package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

// Snapshot is the service's state according to the ledger.
type Snapshot struct {
	Streams  []StreamStatus       // with the owner's settings where variables are unset
	Location *time.Location       // time zone of the source's days
	Newest   map[string]time.Time // by stream: when its newest row was published, according to the checkpoint
	Owner    *ledger.Owner        // nil: the service never had one
	Alive    bool                 // the owner's last heartbeat is younger than StandbyAfter
	Changes  []schedule.Event     // effects of the configuration on days that were exported with another one
	Wait     *ledger.Wait         // what all streams waited for when it was last written; nil: nothing
	Source   json.RawMessage      // the source's state
	LineEnds json.RawMessage      // what it has learned about line ends
	Commands []*ledger.Command    // that are not done, oldest first
}

// Snapshot reads the ledger.
func (r *Reader) Snapshot(ctx context.Context) (*Snapshot, error) {
	stored := r.config.Ledger()
	state, err := stored.Load(ctx)
	if cluster.Missing(err) {
		return nil, fmt.Errorf("%w; has the connector run yet, and is LEDGER_TOPIC right?", err)
	}
	if err != nil {
		return nil, err
	}
	now := time.Now()
	record := new(ledger.Service)
	if state.Service != nil {
		record = state.Service
	}
	days := r.config.newSchedule(now)
	changes := days.Load(record, confirmed(state, stored.Rows), now)
	changes = append(changes, days.UnknownNames(now)...)
	days = r.config.newSchedule(now)
	days.Observe(record, confirmed(state, stored.Rows), now)
	var all schema.Wait
	if w := record.Wait; w != nil && w.Until.After(now) {
		all = schema.Wait{For: w.For, Until: w.Until}
	}
	p := &Snapshot{Location: days.Location(), Changes: changes, Owner: state.Owner, Wait: record.Wait, Source: record.Source, LineEnds: record.LineEnds, Newest: map[string]time.Time{}}
	p.Alive = state.Owner != nil && !state.Owner.Released && now.Sub(state.Owner.Beat) < r.config.StandbyAfter
	for _, one := range days.Status(all, now) {
		for _, d := range one.Days {
			one.Published += int64(d.Published)
			one.DeadLetters += int64(d.Bad)
		}
		one.Profiles = profileStatus(transfer.Named(r.config.Streams, one.Name), record.Profiles[one.Name], 0)
		p.Streams = append(p.Streams, one)
		if newest, err := r.newest(ctx, one.Topic, state.Checkpoint); err == nil && !newest.IsZero() {
			p.Newest[one.Name] = newest
		}
	}
	p.Commands = ledger.OpenCommands(state.InOrder())
	return p, nil
}

// newest is the timestamp of a topic's last row according to the checkpoint.
func (r *Reader) newest(ctx context.Context, topic string, c *ledger.Checkpoint) (time.Time, error) {
	var newest time.Time
	for p, mark := range c.Marks() {
		if p.Topic != topic || mark.ID == "" {
			continue
		}
		err := r.config.Cluster.Read(ctx, p, mark.Last, mark.Last+1, recordbatch.Visitor{Record: func(record *recordbatch.Record) error {
			if record.Time.After(newest) {
				newest = record.Time
			}
			return nil
		}})
		if err != nil {
			return newest, err
		}
	}
	return newest, nil
}
