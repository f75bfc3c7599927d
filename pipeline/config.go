package pipeline

import (
	"encoding/json"
	"log/slog"
	"time"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/ledger/store"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

// Config is the configuration of a service. All fields must be set before Run, except where
// they say what their zero value means: defaults are in cmd/config. It is not changed while
// the service runs.
type Config struct {
	ID       string
	Streams  []transfer.Stream
	Location *time.Location // time zone of the source's days

	// NewSource makes the source from its state and its line ends as stored in the
	// ledger; nil at the first start. It is called for each takeover.
	NewSource func(state, lineEnds json.RawMessage) (Source, error)
	// Redact removes the source's secrets from a text, for dead letters. It may return
	// the text itself. It must be safe for concurrent use.
	Redact  func(text []byte) []byte
	Cluster *cluster.Cluster
	Codec   *recordbatch.Codec

	LedgerTopic     string
	DeadLetterTopic string
	CreateTopics    bool
	Partitions      int  // of topics that are created
	Replicas        int  // of topics that are created; -1 is the broker's default
	AtLeastOnce     bool // former owners are not fenced

	CheckpointInterval time.Duration // how often progress is written to the ledger
	FenceRenewal       time.Duration // how often the fence is renewed, before brokers forget it
	OwnerHeartbeat     time.Duration // how often the owner shows in the ledger that it is alive
	StandbyAfter       time.Duration // without a heartbeat, until a standby takes over
	ShutdownTimeout    time.Duration // for what is in flight when ctx has ended
	RetryBackoff       time.Duration // before a day's second attempt; it doubles with each
	RetryMaxBackoff    time.Duration // the longest wait between attempts
	NarrowAfter        int           // failures after which a day is exported in slices
	CommandPoll        time.Duration // how often the ledger is polled for commands
	ConcurrentCalls    int           // exports at once
	CallsPerHour       int           // the quota by which work is planned
	// Once, if set, makes Run return when nothing is due any more: nil, or a *IncompleteError.
	Once *schedule.Once
	// Patience is how long Run waits for Kafka, or for a missing topic, before it gives
	// up; 0 for unlimited.
	Patience time.Duration

	Instance, Host, Version string
	Log                     *slog.Logger
	// Parse parses a row from its raw copy and the columns of its header, for the
	// replay of dead letters. The row must not share memory with the copy. A
	// *schema.BadRow means that the row is still bad.
	Parse func(columns *schema.Columns, raw []byte) (*schema.Row, error)
	// Observe, if set, is called with the duration of each export.
	Observe func(stream string, took time.Duration)
	// Step, if set, is called with the name of each point at which tests may crash the
	// process. Only tests set it.
	Step func(name string)
}

func (c *Config) step(name string) {
	if c.Step != nil {
		c.Step(name)
	}
}

// Ledger returns the service's ledger.
func (c *Config) Ledger() *store.Ledger {
	return &store.Ledger{Cluster: c.Cluster, Topic: c.LedgerTopic, Rows: ledger.RowsTopic(c.LedgerTopic), Service: c.ID}
}

// TransactionalID is the transactional id with which instances of this service fence
// each other; empty with AtLeastOnce.
func (c *Config) TransactionalID() string {
	if c.AtLeastOnce {
		return ""
	}
	return c.LedgerTopic + "." + c.ID
}

// newSchedule returns the schedule of an ownership that starts now.
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
