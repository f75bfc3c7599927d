package transfer

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
)

// Sets loads the published rows of a day. A *store.LostError comes with the set of the rows that
// are still known.
type Sets interface {
	LoadSet(context.Context, ledger.DayName, *ledger.Day) (*dedup.Set, error)
}

// Config is the configuration of a Runner.
type Config struct {
	Streams   []Stream
	Limit     int // maximum number of concurrent exports
	Sets      Sets
	RowsTopic string // where Sets reads
	// Redact removes the source's secrets from a text. It may return the text itself.
	Redact func(text []byte) []byte
	// Wrote is called for each dead letter, by the goroutine that wrote it.
	Wrote func(*schema.DeadLetter)
	// Evolve returns the function that changes the schemas of a stream's values.
	Evolve func(stream string) Evolve
	// Admit admits the columns of streams' headers; nil: all columns are admitted.
	Admit Admit
	// Profiles is for streams with MODE=changes; without it they publish all rows.
	Profiles Profiles
	// CheckHeader checks headers of streams that hide columns.
	CheckHeader CheckHeader
	Log         *slog.Logger
}

// Runner runs exports, and has the days that are in memory. Only the owner's loop calls
// its methods.
type Runner struct {
	shared
	streams  []*stream
	dead     []Appender // by partition of the dead letters
	inFlight int        // exports that were started and not yet taken back
	running  sync.WaitGroup
}

// shared is used by both the runner and running exports.
type shared struct {
	Config
	ended  chan *Export  // exports that have ended
	chunks atomic.Int32  // of new fingerprints, begun since the last checkpoint
	full   chan struct{} // asks for a checkpoint before its time: the chunks are many
}

// New returns a runner. Streams and dead letters can be written after Open and
// OpenLetters.
func New(c Config) *Runner {
	r := &Runner{shared: shared{Config: c, ended: make(chan *Export, c.Limit), full: make(chan struct{}, 1)}}
	for i := range c.Streams {
		r.streams = append(r.streams, &stream{Stream: &c.Streams[i], days: map[schema.Day]*Day{}})
	}
	return r
}

// Open sets the partitions of a stream.
func (r *Runner) Open(stream string, partitions []Appender) { r.stream(stream).senders = partitions }

// OpenLetters sets the partitions of the dead letters.
func (r *Runner) OpenLetters(partitions []Appender) { r.dead = partitions }

// Partitions is the number of partitions to which a stream is written.
func (r *Runner) Partitions(stream string) int { return len(r.stream(stream).senders) }

// Free reports whether one more export may be started.
func (r *Runner) Free() bool { return r.inFlight < r.Limit }

// Idle reports whether no export is running.
func (r *Runner) Idle() bool { return r.inFlight == 0 }

// Job describes an export to run.
type Job struct {
	Call       schema.Export
	Record     ledger.Day // of the day, at the start
	Permit     Permit     // nil for a replay
	Started    time.Time
	EventNames []string     // those known of the stream
	Properties []string     // to be looked for in rows
	CutLetters []schema.Cut // kinds of cut of the day that already have a dead letter
	Replay     *Replay      // the rows to publish instead of those of a call
}

// Start starts an export that runs concurrently until ctx ends. The loop receives it
// from Ended.
func (r *Runner) Start(ctx context.Context, job Job) *Export {
	st := r.stream(job.Call.Stream)
	st.SetPrivacy(&job.Call)
	e := &Export{
		Job: job, runner: &r.shared, stream: st.Stream, day: st.day(job.Call.Day), names: newNames(st.Kind, job.EventNames),
		records: recordWriter{senders: st.senders, headers: newRecordHeaders(&st.Headers, &job.Call, st.Changes)},
	}
	e.changes = r.newChanges(st.Stream, e)
	e.letters = letters{
		runner: &r.shared, call: &e.Call, out: r.dead[cluster.PartitionOf([]byte(job.Call.DayKey()), len(r.dead))], rows: &e.day.Rows, sum: &e.sum,
		quality: badRows{share: st.MaxBad, limited: st.MaxBad < 1},
	}
	encoder := &e.records.value.encoder
	*encoder = r.newEncoder(st.Stream)
	if st.Meta {
		*encoder = newMetaEncoder(*encoder, &job.Call, &e.records.id)
	}
	e.live.Store(&Tally{})
	e.day.export = e
	r.inFlight++
	r.running.Go(func() { e.run(ctx) })
	return e
}

// newEncoder makes the encoder of one export.
func (r *Runner) newEncoder(s *Stream) encoding.Encoder {
	if s.Values == nil {
		return &plainEncoder{JSON: encoding.JSON{Empty: s.Empty}, stream: s.Name, topic: s.Topic, evolve: r.Evolve(s.Name)}
	}
	return &typedEncoder{values: s.Values, stream: s.Name, topic: s.Topic, evolve: r.Evolve(s.Name), hideCells: s.Raw == RawNone, redact: r.Redact}
}

// Ended receives exports that have ended, for TakeBack.
func (r *Runner) Ended() <-chan *Export { return r.ended }

// TakeBack completes an export that has ended: the next Collect includes its end.
func (r *Runner) TakeBack(e *Export) {
	e.day.export, e.day.ended = nil, e
	r.inFlight--
}

// Full receives a request for a checkpoint when exports have collected many rows that
// are not in the ledger.
func (r *Runner) Full() <-chan struct{} { return r.full }

// TakeBackAll waits for all exports and takes them back.
func (r *Runner) TakeBackAll() {
	stopped := make(chan struct{})
	go func() {
		r.running.Wait()
		close(stopped)
	}()
	for running := true; running; {
		select {
		case e := <-r.ended:
			r.TakeBack(e)
		case <-stopped:
			running = false
		}
	}
	for len(r.ended) > 0 {
		r.TakeBack(<-r.ended)
	}
}

// Wait returns when no export is running.
func (r *Runner) Wait() { r.running.Wait() }
