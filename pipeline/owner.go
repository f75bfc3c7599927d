package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"dfinery-kafka/pipeline/command"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/ledger/store"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

// owner is one ownership of the service, from its takeover to its end. Its loop alone uses it and its parts. Each part has its own state and
// knows only the parts that it is given; what several of them do together is here.
type owner struct {
	service    *Service
	log        *slog.Logger
	session    *producer.Session
	partitions *partitions
	writer     *store.Writer
	source     Source

	schedule    *schedule.State   // what is due, and what an outcome means
	transfers   *transfer.Runner  // exports under way, and what is in memory of their days
	record      *serviceRecord    // the service's record in the ledger
	checkpoints *checkpointer     // how far the ledger accounts for the topics
	commands    *command.Executor // commands that are not done
	topics      *topicMonitor     // whether the topics can be written, as they were when the ownership began
	profiles    *profileKeeper    // what streams of changes know beyond their topics
	heartbeat   ledger.Owner      // the owner's record in the ledger
	calls       loopCalls         // what exports have the loop do

	waits    schema.Wait         // why nothing more could be started at the last try
	accepted map[schema.Cut]bool // cuts that the source takes for whole answers
	watching sync.WaitGroup      // the watchdog
}

func newOwner(s *Service, stored *store.Ledger, session *producer.Session, at *partitions) *owner {
	o := &owner{
		service: s, log: s.Log, session: session, partitions: at, writer: &store.Writer{Ledger: stored}, schedule: s.newSchedule(time.Now()),
		accepted: map[schema.Cut]bool{}, calls: make(loopCalls),
	}
	o.record = newServiceRecord(o.schedule, o.writer, session, o.calls)
	o.checkpoints = newCheckpointer(s, session, o.writer, o.schedule, at)
	o.profiles = newProfileKeeper(o)
	o.transfers = transfer.New(transfer.Config{
		Streams: s.Streams, Limit: s.ConcurrentCalls, Sets: stored, RowsTopic: stored.Rows, Redact: s.Redact, Wrote: s.wrote,
		Evolve: o.record.evolver, Admit: o.admitter, CheckHeader: o.checkHeader, Profiles: o.profiles, Log: s.Log,
	})
	o.topics = newTopicMonitor(s, stored, session, o.schedule, at)
	o.commands = command.New(command.Config{
		Service: s.ID, Location: s.Location, Streams: s.Streams, Topics: s.Cluster, Ledger: stored, State: at.state, Letters: at.letters,
		Parse: s.Parse, Schedule: o.schedule, Transfers: o.transfers, Resume: o.resume, Profiles: o.profiles, Log: s.Log,
	})
	return o
}

// openSenders opens the senders of the ledger, of the dead letters and of the streams that can be written.
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
	for st := range o.service.streams {
		if o.schedule.Blocked(st.Name) != "" {
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

// onHeartbeat does what is due with each heartbeat: a check of the topics, and the heartbeat itself.
func (o *owner) onHeartbeat(ctx context.Context) error {
	if err := o.topics.check(ctx, o.checkpoints, o.transfers); err != nil {
		return err
	}
	return o.beat(ctx)
}

// beat writes the owner's sign of life.
func (o *owner) beat(ctx context.Context) error {
	o.heartbeat.Beat, o.heartbeat.Epoch = time.Now().UTC(), o.session.Identity().Epoch
	if err := o.writer.Owner(&o.heartbeat); err != nil {
		return err
	}
	return o.session.Flush(ctx, o.writer.State)
}

// renew raises the fence again, before the brokers expire it. No batch is in flight meanwhile.
func (o *owner) renew(ctx context.Context) error {
	resume := o.transfers.Pause()
	err := o.session.Flush(ctx)
	if err == nil {
		o.service.step("renewing")
		err = o.session.Renew(ctx, o.partitions.all)
	}
	resume()
	if err != nil {
		return fmt.Errorf("renew the fence: %w", err)
	}
	o.service.step("renewed")
	o.log.Debug("fence renewed", "producer", o.session.Identity().String())
	return o.checkpoint(ctx)
}
