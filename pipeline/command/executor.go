// Package command executes the commands submitted to the ledger: pause, resume, accept,
// backfill, replay and approve.
package command

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"time"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

// The verbs of commands.
const (
	VerbPause    = "pause"
	VerbResume   = "resume"
	VerbBackfill = "backfill"
	VerbReplay   = "replay"
	VerbApprove  = "approve"
	VerbAccept   = "accept" // new columns
)

// Topics reads partitions: a *cluster.Cluster.
type Topics interface {
	Log(context.Context, recordbatch.TopicPartition) (cluster.LogRange, error)
	Read(ctx context.Context, p recordbatch.TopicPartition, from, to int64, visitor recordbatch.Visitor) error
}

// Commands reads the commands in the ledger: a *store.Ledger.
type Commands interface {
	Commands(ctx context.Context, partition int, from, to int64) ([]*ledger.Command, error)
}

// Config is the configuration of an Executor.
type Config struct {
	Service  string
	Location *time.Location
	Streams  []transfer.Stream
	Topics   Topics
	Ledger   Commands
	State    recordbatch.TopicPartition   // where commands are written
	Letters  []recordbatch.TopicPartition // of the dead letters
	// Parse reads a row from its raw copy and the columns of its header, into memory of its
	// own. A *schema.BadRow means that the row is still bad.
	Parse     func(columns *schema.Columns, raw []byte) (*schema.Row, error)
	Schedule  *schedule.State
	Transfers *transfer.Runner
	// Resume resumes a stream immediately.
	Resume func(stream string, now time.Time)
	// Profiles is for commands to streams with MODE=changes.
	Profiles Profiles
	Log      *slog.Logger
}

// Profiles changes the state of streams with MODE=changes.
type Profiles interface {
	// PublishAgain makes rows of earlier exports be published again when a snapshot has them.
	PublishAgain(stream string)
	// Approve permits up to most deletes of absent profiles, or as many as are withheld if most
	// is 0, and returns how many.
	Approve(stream string, most int, now time.Time) (int, error)
}

// Executor executes the commands that are not done. Only the owner's loop calls its methods.
type Executor struct {
	Config
	commands  []*ledger.Command
	end       int64                        // how far State was read
	replays   map[string]*replay           // by command, of those in progress
	replaying map[*transfer.Export]*replay // by export that publishes rows of it
}

// New returns an executor without commands.
func New(c Config) *Executor {
	return &Executor{Config: c, replays: map[string]*replay{}, replaying: map[*transfer.Export]*replay{}}
}

// Load takes over the commands from the ledger.
func (x *Executor) Load(state *ledger.State, now time.Time) {
	x.commands, x.end = state.InOrder(), state.End
	for _, c := range x.commands {
		c.Taken = schedule.Past(c.Taken, now)
	}
}

// Open returns the commands that are not done, oldest first.
func (x *Executor) Open() []ledger.Command {
	var open []ledger.Command
	for _, c := range ledger.OpenCommands(x.commands) {
		open = append(open, *c)
	}
	return open
}

// pollTimeout limits a read of commands, so that it does not block the loop: without an answer
// the next poll reads them.
const pollTimeout = 10 * time.Second

// Poll reads the commands written since the last poll. An invalid command is not an error.
func (x *Executor) Poll(ctx context.Context) error {
	look, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	log, err := x.Topics.Log(look, x.State)
	if err != nil {
		return nil // the broker is unavailable: the next poll reads them
	}
	news, err := x.Ledger.Commands(look, x.State.Partition, x.end, log.End)
	switch {
	case err != nil && look.Err() != nil:
		return nil
	case err != nil:
		return err
	}
	x.end = log.End
	for _, c := range news {
		if c.Taken == nil && c.Done == nil && !x.knows(c.ID) {
			x.commands = append(x.commands, c)
		}
	}
	return nil
}

func (x *Executor) knows(id string) bool {
	return slices.ContainsFunc(x.commands, func(c *ledger.Command) bool { return c.ID == id })
}

// Step executes each command as far as possible, and yields those that have changed. The caller
// must write the changes of days and streams to the ledger before the command. An invalid
// command is answered with an error and stops nothing.
func (x *Executor) Step(ctx context.Context) iter.Seq[*ledger.Command] {
	return func(yield func(*ledger.Command) bool) {
		var open []*ledger.Command
		for _, c := range x.commands {
			if c.Done != nil {
				continue
			}
			changed, done := x.execute(ctx, c)
			if done {
				x.finish(c)
			} else {
				open = append(open, c)
			}
			if (changed || done) && !yield(c) {
				return
			}
		}
		x.commands = open
	}
}

// finish ends a command.
func (x *Executor) finish(c *ledger.Command) {
	now := time.Now().UTC()
	c.Done = &now
	if c.Error != "" {
		x.Log.Warn("command refused", "verb", c.Verb, "stream", c.Stream, "id", c.ID, "result", c.Result, "error", c.Error,
			"do", "correct what the error says and submit the command again")
		return
	}
	x.Log.Info("command carried out", "verb", c.Verb, "stream", c.Stream, "id", c.ID, "result", c.Result)
}

// execute continues one command. Starting and ending it are changes to be written.
func (x *Executor) execute(ctx context.Context, c *ledger.Command) (changed, done bool) {
	if c.Error != "" { // it could not be read
		return true, true
	}
	st := transfer.Named(x.Streams, c.Stream)
	if st == nil {
		c.Error = fmt.Sprintf("there is no stream %q here: the streams are %s", c.Stream, strings.Join(x.names(), ", "))
		return true, true
	}
	switch c.Verb {
	case VerbPause:
		x.Schedule.Stream(st.Name).Pause()
	case VerbResume:
		x.Resume(st.Name, time.Now())
	case VerbAccept:
		c.Result = "there were no columns to accept"
		if accepted := x.Schedule.Stream(st.Name).AcceptColumns(time.Now().UTC()); len(accepted) > 0 {
			c.Result = schema.Pluralize(len(accepted), "column") + " accepted: " + strings.Join(accepted, ", ")
		}
		return true, true
	case VerbBackfill:
		return x.backfill(c, st)
	case VerbReplay:
		return x.replay(ctx, c, st)
	case VerbApprove:
		return x.approve(c, st)
	default:
		c.Error = fmt.Sprintf("%q is not a command: pause, resume, accept, backfill, replay, approve", c.Verb)
		return true, true
	}
	c.Result = c.Stream + " " + c.Verb + "d"
	return true, true
}

func (x *Executor) names() []string {
	names := make([]string, len(x.Streams))
	for i := range x.Streams {
		names[i] = x.Streams[i].Name
	}
	return names
}
