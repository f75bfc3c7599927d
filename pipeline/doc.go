// Package pipeline is the loop of one service: it plans the days that are due, moves each export into Kafka row by row,
// and keeps the ledger equal to what Kafka has acknowledged.
//
// It knows no HTTP: a Source is joined to it by cmd/app.
//
// Service.Run makes one tenure after the other, a tenure being one ownership of the service. Its loop alone owns the streams and their
// days. Beside it each export runs in a goroutine of its own, which the loop holds back between two rows when it takes a checkpoint.
//
// The files, in the order in which a service meets them:
//
//	source.go        what the pipeline needs of a source: Source, Permit, Body
//	service.go       Service and Run: tenure after tenure, until the context ends or a fault that will not pass
//	topics.go        the topics that are needed: created at the start, looked at with each heartbeat
//	takeover.go      a tenure is opened: topics, fence, restore; and its fence is renewed
//	restore.go       the ledger is taken over and brought up to what the topics hold
//	recovered.go     what package recovery has found is entered and reported
//	tenure.go        the tenure and its loop
//	standby.go       an instance that was fenced waits for the owner's silence
//	watchdog.go      Kafka is silent, or one partition takes nothing
//	drain.go         a tenure ends in order
//	rights.go        what the service must be allowed to do in Kafka
//
// Which day is next, and what the end of an export means for it, is decided in pipeline/schedule:
//
//	stream.go        a stream and its days, as far as they are in memory
//	schedule.go      exports are started as quota and breaker allow
//	waits.go         what all exports wait for
//	outcome.go       the end of an export is entered into the schedule
//	events.go        what has happened in the schedule is logged and counted
//	eventnames.go    the names of events that exports have met
//	once.go          run --once: when it ends, and what it leaves
//
// One export's way into Kafka:
//
//	export.go        the rows' journey: fetched, looked up, appended
//	ahead.go         rows are fetched a few at a time
//	fingerprints.go  those of the day are loaded (package dedup holds them)
//	linger.go        open batches are sent when the source pauses
//	finish.go        an export is taken back, and told in the log
//	checkpoint.go    the barrier: rows acknowledged, then fingerprints, days, offsets
//	prune.go         old days and commands are deleted from the ledger
//
// What is asked for, and what is seen:
//
//	command.go       pause, resume and backfill
//	replay.go        replay of dead letters
//	letters.go       the letters of a replay are read, some at a time
//	status.go        the state of streams and days, for /status
//	peek.go          the same from the ledger alone, for any machine
//	counts.go        counters, for metrics
package pipeline
