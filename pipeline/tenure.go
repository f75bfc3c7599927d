package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/command"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

// tenure is one ownership of the service, from its take-over to its end. One loop owns all its fields; exports run beside it and
// share with it only what export says.
type tenure struct {
	service *Service
	books   *ledger.Books
	log     *slog.Logger
	session *producer.Session
	source  Source
	writer  ledger.Writer

	stateAt, rowsAt cluster.TopicPartition
	lettersAt       []cluster.TopicPartition
	written         []cluster.TopicPartition                        // all partitions that may be written: state, rows, dead letters, then the streams'
	marks           map[cluster.TopicPartition]recordbatch.Position // of the partitions that were restored: how far they were written then, or at the last checkpoint
	carried         map[cluster.TopicPartition]ledger.Mark          // the former checkpoint's, of partitions that were not restored
	carriedDays     map[string]map[schema.Day]int                   // the former checkpoint's, of streams that were not restored

	limit     map[string]int // max.message.bytes by topic, as the session was told
	forbidden []string       // why topics that every stream needs may not be written, as last seen
	rowsSince int64          // from here on the rows topic holds no fingerprints of this service that are not in the range of their day
	rowsWhole bool           // rowsSince is known: the last attempt to write fingerprints came to its end

	schedule      *schedule.State
	transfers     *transfer.Runner
	owner         ledger.Owner
	serviceRecord ledger.Service
	commands      *command.Executor

	watching sync.WaitGroup      // the watchdog
	waits    schema.Wait         // why nothing more could be started at the last try
	accepted map[schema.Cut]bool // cuts that the source takes for whole answers
	changes  chan *serviceChange // of the service's record, asked for by exports
}

func newTenure(s *Service, books *ledger.Books) *tenure {
	t := &tenure{
		service: s, books: books, log: s.Log, schedule: s.newSchedule(time.Now()),
		marks: map[cluster.TopicPartition]recordbatch.Position{}, carried: map[cluster.TopicPartition]ledger.Mark{},
		limit: map[string]int{}, accepted: map[schema.Cut]bool{},
		changes: make(chan *serviceChange),
	}
	t.transfers = transfer.New(transfer.Config{
		Streams: s.Streams, Limit: s.ConcurrentCalls, Sets: books, RowsTopic: s.LedgerTopic + ".rows", Redact: s.Redact, Wrote: s.wrote,
		Evolve: t.evolver, Log: s.Log,
	})
	return t
}

// writers opens the senders of the ledger and of the streams that can be written.
func (t *tenure) writers() error {
	t.writer.Books = t.books
	var err, err2 error
	t.writer.State, err = t.session.Sender(t.stateAt)
	t.writer.Rows, err2 = t.session.Sender(t.rowsAt)
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	letters, err := t.senders(t.lettersAt)
	if err != nil {
		return err
	}
	t.transfers.OpenLetters(letters)
	t.writer.State.UseSingleBatch() // a checkpoint's days and marks stand or fall together
	for st := range t.service.streams {
		if err := t.openSenders(st); err != nil {
			return err
		}
	}
	return nil
}

func (t *tenure) openSenders(st *transfer.Stream) error {
	if t.schedule.Blocked(st.Name) != "" {
		return nil
	}
	var partitions []cluster.TopicPartition
	for _, p := range t.written {
		if p.Topic == st.Topic {
			partitions = append(partitions, p)
		}
	}
	senders, err := t.senders(partitions)
	if err != nil {
		return err
	}
	t.transfers.Open(st.Name, senders)
	return nil
}

func (t *tenure) senders(partitions []cluster.TopicPartition) ([]transfer.Appender, error) {
	list := make([]transfer.Appender, len(partitions))
	for i, p := range partitions {
		sender, err := t.session.Sender(p)
		if err != nil {
			return nil, err
		}
		list[i] = sender
	}
	return list, nil
}

// run is the owner's loop. It returns nil when ctx has ended and all is in the ledger, or why the tenure has ended.
func (t *tenure) run(ctx context.Context) error {
	exporting, stop := context.WithCancel(ctx)
	defer t.wait()
	defer t.session.Close() // wakes an export that waits for room in a partition that takes nothing
	defer stop()
	checkpoint, renewal := time.Tick(t.service.CheckpointInterval), time.Tick(t.service.FenceRenewal)
	beat, poll := time.Tick(t.service.OwnerHeartbeat), time.Tick(t.service.CommandPoll)
	wake := time.NewTimer(0)
	t.watching.Go(func() { t.watch(exporting) })
	defer t.limitShutdown(ctx)()
	t.log.Info("owner", "service", t.service.ID, "instance", t.service.Instance, "producer", t.session.Identity().String())
	// What was asked for while nobody was the owner comes before the first export: a pause, and all that Once would not stay for.
	if err := t.pollCommands(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	for {
		var err error
		var told *outcome
		select {
		case <-ctx.Done():
			stop()
			return t.drain(ctx)
		case <-t.session.Done():
			if ctx.Err() == nil {
				return t.session.Err()
			}
			stop()
			return t.drain(ctx)
		case e := <-t.transfers.Ended():
			told, err = t.finish(ctx, e)
		case c := <-t.changes:
			err = t.writeChange(ctx, c)
		case <-t.transfers.Full():
			err = t.checkpoint(ctx)
		case <-checkpoint:
			err = t.checkpointIfChanged(ctx)
		case <-beat:
			err = t.onHeartbeat(ctx)
		case <-renewal:
			err = t.renew(ctx)
		case <-poll:
			err = t.pollCommands(ctx)
		case <-wake.C:
		}
		if err == nil {
			err = t.startDue(ctx, exporting, wake)
		}
		if told != nil {
			t.report(told)
		}
		t.publishStatus()
		if err == nil && t.service.Once != nil && t.transfers.Idle() {
			var ended bool
			var left error
			if ended, left, err = t.onceEnd(ctx); ended {
				stop()
				return errors.Join(t.drain(ctx), left)
			}
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
	}
}

// startDue starts what may start now, and sets wake for when to look again.
func (t *tenure) startDue(ctx, exporting context.Context, wake *time.Timer) error {
	next, err := t.startExports(ctx, exporting)
	wake.Reset(max(0, time.Until(next)))
	if err != nil {
		return err
	}
	return t.recordWait(ctx)
}

// lookFor is how long the loop waits for what it only looks at: a Kafka that doesn't answer must not keep it from all else.
const lookFor = 10 * time.Second

// onHeartbeat does what is due with each heartbeat: a look at the topics, and the heartbeat itself.
func (t *tenure) onHeartbeat(ctx context.Context) error {
	if err := t.checkTopics(ctx); err != nil {
		return err
	}
	return t.beat(ctx)
}

// beat writes the owner's sign of life.
func (t *tenure) beat(ctx context.Context) error {
	t.owner.Beat, t.owner.Epoch = time.Now().UTC(), t.session.Identity().Epoch
	if err := t.writer.Owner(&t.owner); err != nil {
		return err
	}
	return t.session.Flush(ctx, t.writer.State)
}
