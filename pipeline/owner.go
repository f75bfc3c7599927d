package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"dfinery-kafka/pipeline/command"
	"dfinery-kafka/pipeline/ledger/store"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

// owner is one ownership of the service, from its takeover to its end. Only its loop
// uses it and its parts. Each part has its own state and uses only the parts that it is
// given; what several of them do together is here.
type owner struct {
	config     *Config
	log        *slog.Logger
	counts     *Counts
	session    *producer.Session
	partitions *partitions
	writer     *store.Writer

	schedule    *schedule.State   // what is due, and what an outcome means
	exports     *starter          // starts what is due, as the source permits
	transfers   *transfer.Runner  // running exports, and their days in memory
	record      *serviceRecord    // the service's record in the ledger
	heartbeat   *heartbeat        // the owner's record in the ledger
	checkpoints *checkpointer     // how far the ledger accounts for the topics
	commands    *command.Executor // commands that are not done
	contract    *contract         // which headers are accepted
	profiles    *profileKeeper    // state of streams with MODE=changes
	topics      *topicMonitor     // whether the topics can be written, as they were when the ownership began
	announcer   *announcer        // logs and counts events
	status      *statusReporter   // publishes the status
	calls       loopCalls         // functions of exports to run in the loop

	watching sync.WaitGroup // the watchdog
}

func newOwner(c *Config, v *view, taken *ownership, topics *topicCreator, history *topicHistory) *owner {
	stored, session, at := c.Ledger(), taken.session, taken.partitions
	o := &owner{
		config: c, log: c.Log, counts: &v.counts, session: session, partitions: at, writer: &store.Writer{Ledger: stored},
		schedule: c.newSchedule(time.Now()), calls: make(loopCalls),
	}
	o.heartbeat = &heartbeat{writer: o.writer, session: session}
	o.record = newServiceRecord(o.schedule, o.writer, session, o.calls)
	oldest := func() schema.Day { return oldestRecovered(c.Location) }
	o.checkpoints = newCheckpointer(session, o.writer, o.schedule, at, oldest, c.step)
	o.profiles = &profileKeeper{
		streams: c.Streams, location: c.Location, cluster: c.Cluster, session: session, partitions: at, writer: o.writer, schedule: o.schedule,
		record: o.record, checkpoints: o.checkpoints, calls: o.calls, step: c.step, log: c.Log,
	}
	o.announcer = &announcer{config: c, counts: o.counts, schedule: o.schedule, log: c.Log}
	o.contract = &contract{schedule: o.schedule, record: o.record, announcer: o.announcer}
	published := &publishedRows{ledger: stored, streams: c.Streams, location: c.Location, deadLetters: c.DeadLetterTopic, partitions: at, log: c.Log}
	o.transfers = transfer.New(transfer.Config{
		Streams: c.Streams, Limit: c.ConcurrentCalls, Sets: published, RowsTopic: stored.Rows, Redact: c.Redact, Wrote: v.wrote,
		Evolve: o.record.evolver, Admit: o.contract.admit, CheckHeader: o.contract.checkHeader, Profiles: o.profiles, Log: c.Log,
	})
	o.announcer.transfers, o.contract.transfers = o.transfers, o.transfers
	o.exports = &starter{
		location: c.Location, schedule: o.schedule, record: o.record, transfers: o.transfers, announcer: o.announcer, step: c.step, accepted: map[schema.Cut]bool{},
	}
	o.topics = &topicMonitor{
		cluster: c.Cluster, ledger: stored, deadLetters: c.DeadLetterTopic, streams: c.Streams, session: session, schedule: o.schedule, partitions: at,
		creator: topics, history: history, log: c.Log,
	}
	o.commands = command.New(command.Config{
		Service: c.ID, Location: c.Location, Streams: c.Streams, Topics: c.Cluster, Ledger: stored, State: at.state, Letters: at.letters,
		Parse: c.Parse, Schedule: o.schedule, Transfers: o.transfers, Resume: o.contract.resume, Profiles: o.profiles, Log: c.Log,
	})
	o.status = &statusReporter{
		service: c.ID, streams: c.Streams, session: session, topics: o.topics, schedule: o.schedule, transfers: o.transfers, record: o.record,
		commands: o.commands, view: v,
	}
	return o
}

// openSenders opens the senders of the ledger, of the dead letters and of the streams
// that can be written.
func (o *owner) openSenders() error {
	var err, err2 error
	o.writer.State, err = o.session.Sender(o.partitions.state)
	o.writer.Rows, err2 = o.session.Sender(o.partitions.rows)
	letters, err3 := senders(o.session, o.partitions.letters)
	if err := errors.Join(err, err2, err3); err != nil {
		return err
	}
	o.writer.State.UseSingleBatch() // a checkpoint's days and marks are written atomically
	o.transfers.OpenLetters(letters)
	for i := range o.config.Streams {
		st := &o.config.Streams[i]
		if o.schedule.Stream(st.Name).Blocked() != "" {
			continue
		}
		rows, err := senders(o.session, o.partitions.of(st.Topic))
		if err != nil {
			return err
		}
		o.transfers.Open(st.Name, rows)
	}
	return nil
}

func senders(session *producer.Session, partitions []recordbatch.TopicPartition) ([]transfer.Appender, error) {
	list := make([]transfer.Appender, len(partitions))
	for i, p := range partitions {
		sender, err := session.Sender(p)
		if err != nil {
			return nil, err
		}
		list[i] = sender
	}
	return list, nil
}

// onHeartbeat does the work of each heartbeat: a check of the topics, and the heartbeat
// itself.
func (o *owner) onHeartbeat(ctx context.Context) error {
	if err := o.topics.check(ctx, o.checkpoints, o.transfers); err != nil {
		return err
	}
	return o.heartbeat.beat(ctx)
}

// renew renews the fence before the brokers expire it. No batch is in flight in the
// meantime.
func (o *owner) renew(ctx context.Context) error {
	resume := o.transfers.Pause()
	err := o.session.Flush(ctx)
	if err == nil {
		o.config.step("renewing")
		err = o.session.Renew(ctx, o.partitions.all)
	}
	resume()
	if err != nil {
		return fmt.Errorf("renew the fence: %w", err)
	}
	o.config.step("renewed")
	o.log.Debug("fence renewed", "producer", o.session.Identity().String())
	return o.checkpoint(ctx)
}
