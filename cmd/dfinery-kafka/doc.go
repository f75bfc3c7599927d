// Command dfinery-kafka exports the data of a DFINERY service to Apache Kafka.
//
// Each command has its own file, and so has each part that several of them share:
//
//	main.go         the process: signals, exit codes
//	root.go         the root command; usage errors
//	arguments.go    arguments of commands, and their completion
//	help.go         help texts wrapped to the terminal
//
//	run.go          run, and run --once
//	follow.go       progress of run --once
//	check.go        check
//	preview.go      preview; previewtext.go and previewjson.go print its result
//	contract.go     contract
//	status.go       status
//	render.go       its output; renderstream.go for one stream, daycell.go for one day
//	backfill.go     backfill
//	pause.go        pause and resume
//	profiles.go     profiles
//	config.go       config; the configuration for all commands
//	ready.go        ready
//	version.go      version
//
//	dlq.go          dlq list and dlq show
//	replay.go       dlq replay
//	letters.go      selects and reads dead letters
//	lettertable.go  prints them
//
//	submit.go       submits a command to the service's owner and waits for its result
//	open.go         the service for a command, once Kafka is reached
//	fault_on.go     crashes the program between two steps, for tests
//	fault_off.go    the build without it
package main
