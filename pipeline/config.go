package pipeline

import (
	"encoding/json"
	"log/slog"
	"time"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/ledger/store"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

// Config is how a service is configured. All fields are set before Run, and none has a
// default here: cmd/config knows those. Nothing changes it while the service runs.
type Config struct {
	ID       string
	Streams  []transfer.Stream
	Location *time.Location // where the source's days begin

	// NewSource makes the source from the state, and from what was learned of line
	// ends, as the ledger kept them; nil at the first start. It is called for each
	// takeover.
	NewSource func(state, lineEnds json.RawMessage) (Source, error)
	// Redact takes the source's secrets out of a text, for dead letters. It may return
	// the text itself. Safe for concurrent use.
	Redact  func(text []byte) []byte
	Cluster *cluster.Cluster
	Codec   *recordbatch.Codec

	LedgerTopic     string
	DeadLetterTopic string
	CreateTopics    bool
	Partitions      int // of topics that are created
	Replicas        int // of topics that are created; -1 is the broker's default
	AtLeastOnce     bool

	CheckpointInterval time.Duration
	FenceRenewal       time.Duration
	OwnerHeartbeat     time.Duration
	StandbyAfter       time.Duration
	ShutdownTimeout    time.Duration
	RetryBackoff       time.Duration
	RetryMaxBackoff    time.Duration
	NarrowAfter        int
	CommandPoll        time.Duration // how often the ledger is polled for commands
	ConcurrentCalls    int
	CallsPerHour       int
	// Once, if set, makes Run return when nothing is due any more: nil, or a *IncompleteError.
	Once *schedule.Once
	// Patience is how long Kafka, and a topic that is not there, is waited for until
	// Run gives up; 0 for ever.
	Patience time.Duration

	Instance, Host, Version string
	Log                     *slog.Logger
	// Parse reads a row from its raw copy and the columns of its header, into memory of
	// its own: for the replay of dead letters. An error that is a *schema.BadRow says
	// that the row is still bad.
	Parse func(columns *schema.Columns, raw []byte) (*schema.Row, error)
	// Observe, when set, is called with the duration of each export.
	Observe func(stream string, took time.Duration)
	// Step, when set, is called with the name of each point at which a crash may
	// happen. Only tests set it.
	Step func(name string)
}

func (c *Config) step(name string) {
	if c.Step != nil {
		c.Step(name)
	}
}

// Ledger is the service's ledger.
func (c *Config) Ledger() *store.Ledger {
	return &store.Ledger{Cluster: c.Cluster, Topic: c.LedgerTopic, Rows: c.LedgerTopic + ".rows", Service: c.ID}
}

// transactionalID fences instances of the same service, and no others.
func (c *Config) transactionalID() string {
	if c.AtLeastOnce {
		return ""
	}
	return c.LedgerTopic + "." + c.ID
}

// newSchedule is the schedule of an ownership that begins now.
func (c *Config) newSchedule(now time.Time) *schedule.State {
	policy := schedule.Policy{
		Service: c.ID, Location: c.Location, CallsPerHour: c.CallsPerHour,
		RetryBackoff: c.RetryBackoff, RetryMaxBackoff: c.RetryMaxBackoff, NarrowAfter: c.NarrowAfter, Once: c.Once,
	}
	streams := make([]schedule.StreamConfig, len(c.Streams))
	for i := range c.Streams {
		streams[i] = c.Streams[i].StreamConfig
	}
	return schedule.New(streams, policy, now)
}

// streamNamed is the stream of that name; nil if there is none.
func streamNamed(streams []transfer.Stream, name string) *transfer.Stream {
	for i := range streams {
		if streams[i].Name == name {
			return &streams[i]
		}
	}
	return nil
}
