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

// Log reads records: a *cluster.Cluster.
type Log interface {
	// OffsetsSince returns the offsets of the partitions' logs, from the first record since
	// that time on.
	OffsetsSince(ctx context.Context, since time.Time, partitions ...recordbatch.TopicPartition) ([]cluster.LogRange, error)
	Read(ctx context.Context, p recordbatch.TopicPartition, from, to int64, v recordbatch.Visitor) error
}

// Ledger provides the ledger's days.
type Ledger interface {
	Known(ledger.DayName) bool
	Day(ledger.DayName) ledger.Day
	// LoadSet returns the published rows of a day according to its record.
	LoadSet(context.Context, ledger.DayName) (*dedup.Set, error)
}

// Plan describes what to read.
type Plan struct {
	Service    string
	Topics     map[string]string            // by the names of streams
	Letters    string                       // the topic of the dead letters
	Partitions []recordbatch.TopicPartition // all of these topics
	// Fenced reports whether a partition can be read now. The marks of the others are not changed.
	Fenced func(recordbatch.TopicPartition) bool
	// Marks are the marks of the checkpoint, without that of the fingerprints' topic; nil
	// without a checkpoint.
	Marks map[recordbatch.TopicPartition]ledger.Mark
	// Missing are days that the checkpoint lists but the ledger no longer has: their records
	// are new at any offset.
	Missing map[ledger.DayName]bool
	// Oldest is the first day whose records matter if the ledger does not have the day.
	Oldest schema.Day
	// Since is the time from which a log is read that is not the log of the checkpoint.
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

// Day is what the topics have of a day, but the ledger does not.
type Day struct {
	Rows    int
	Letters int       // of rows
	Exports int       // highest export number
	Copies  dedup.Day // the rows and letters, unsaved
}

// Finding is a problem with a partition that must be reported.
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
	Lost    Kind = iota // the log lacks records that are in the ledger
	Expired             // records were deleted before they were in the ledger
	Holes               // records that were not in the ledger can't be read; To-From of them
)
