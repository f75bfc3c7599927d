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
//	tails.go         what the topics hold behind the last checkpoint, read back; what Kafka has lost
//	gone.go          days whose records the ledger has lost, read back as well
//	tenure.go        the tenure and its loop
//	standby.go       an instance that was fenced waits for the owner's silence
//	watchdog.go      Kafka is silent, or one partition takes nothing
//	drain.go         a tenure ends in order
//	rights.go        what the service must be allowed to do in Kafka
//
// Which day is next:
//
//	stream.go        a stream: its configuration, and what its owner knows of it
//	day.go           a day: its record, its set of fingerprints, its generation
//	planner.go       when each day is due, and which goes first
//	schedule.go      exports are started as quota and breaker allow
//	waits.go         what an export waits for, and until when
//	reach.go         days leave the API's reach: gaps, and the warnings before
//	clock.go         a clock that was ahead is not believed
//	narrow.go        a day whose query keeps failing is exported in slices of events
//	eventnames.go    the names of events, for slices
//	todate.go        whether the API's to_date is exclusive
//	once.go          run --once: what it still does, and what it leaves
//
// One export's way into Kafka:
//
//	export.go        the rows' journey: fetched, looked up, appended
//	ahead.go         rows are fetched a few at a time
//	fingerprints.go  those of the day are loaded (package dedup holds them)
//	deadletter.go    what fails becomes a dead letter
//	linger.go        open batches are sent when the source pauses
//	finish.go        an export is taken back, and told in the log
//	conclude.go      what the end of an export means for its day: state, backoff, halt
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
