package recovery

import (
	"context"
	"time"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/schema"
)

// Log is where records are read from. *cluster.Cluster is one.
type Log interface {
	// OffsetsSince returns what the logs of partitions hold, without what is before the first record since then.
	OffsetsSince(ctx context.Context, since time.Time, partitions ...recordbatch.TopicPartition) ([]cluster.LogRange, error)
	Read(ctx context.Context, p recordbatch.TopicPartition, from, to int64, v recordbatch.Visitor) error
}

// Ledger is what is known of the days that the ledger has.
type Ledger interface {
	Known(ledger.DayName) bool
	Day(ledger.DayName) ledger.Day
	// LoadSet returns the published rows of a day, as far as its record names them.
	LoadSet(context.Context, ledger.DayName) (*dedup.Set, error)
}

// Plan is what is to be read.
type Plan struct {
	Service    string
	Topics     map[string]string            // by the names of streams
	Letters    string                       // the topic of the dead letters
	Partitions []recordbatch.TopicPartition // all of these topics
	// Fenced reports whether a partition can be read now. The marks of the others are kept as they are.
	Fenced func(recordbatch.TopicPartition) bool
	// Marks are the checkpoint's, without that of the fingerprints' topic; nil without a checkpoint.
	Marks map[recordbatch.TopicPartition]ledger.Mark
	// Missing are days that the checkpoint lists and the ledger no longer has: their records count at any offset.
	Missing map[ledger.DayName]bool
	// Oldest is the first day that matters if the ledger does not know it.
	Oldest schema.Day
	// Since is the time from which on a log is read that is not the checkpoint's.
	Since  time.Time
	Ledger Ledger
}

// Result is what was found.
type Result struct {
	Days      map[ledger.DayName]*Day
	Positions map[recordbatch.TopicPartition]recordbatch.Position // of the partitions that were read
	Carried   map[recordbatch.TopicPartition]ledger.Mark          // of those that were not
	Findings  []Finding
}

// Day is what the topics have of a day and the ledger does not.
type Day struct {
	Rows    int
	Letters int       // of rows
	Exports int       // the highest number of an export
	Copies  dedup.Day // the rows and letters, unsaved
}

// Finding is something about a partition that people must know.
type Finding struct {
	Kind      Kind
	Partition recordbatch.TopicPartition
	How       string // Lost: what the log has instead
	From, To  int64  // Expired, Holes: the offsets
}

// Kind is what was found.
type Kind int

// The kinds of findings.
const (
	Lost    Kind = iota // the log lacks records that the ledger counts
	Expired             // records were deleted before they were in the ledger
	Holes               // records that were not in the ledger can't be read; To-From of them
)
