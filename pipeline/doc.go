// Package pipeline runs one service: it exports the days that are due, and keeps the
// ledger consistent with what Kafka has acknowledged. It does not depend on HTTP:
// cmd/app connects it to a Source.
//
// Service.Run makes one ownership of the service after the other. The owner's loop
// joins its parts: package schedule decides which day is exported next, package
// transfer moves its rows into Kafka beside the loop, the checkpointer writes the ledger
// while the loop has paused exports between two rows, package command executes what
// others ask for.
package pipeline
