// Command dfinery-kafka keeps Kafka equal to what the DFINERY Export API holds.
//
// Each command is a file of its own, and what several share another:
//
//	main.go         the process: signals, exit codes
//	root.go         the command line as a whole; what is said of wrong usage
//	arguments.go    arguments of commands, and their completion
//	help.go         help texts that fit the terminal
//
//	run.go          run, and run --once
//	follow.go       how far run --once is
//	check.go        check
//	status.go       status
//	render.go       what it draws
//	backfill.go     backfill
//	pause.go        pause and resume
//	config.go       config; the configuration, for all commands
//	ready.go        ready
//	version.go      version
//
//	dlq.go          dlq list and dlq show
//	replay.go       dlq replay
//	letters.go      which dead letters are meant
//	letterlog.go    they are read, oldest first
//	lettertable.go  and printed
//
//	give.go         a command is given to the service's owner, and its result awaited
//	contact.go      whether Kafka can be reached, before anything is asked of it
//	fault_on.go     tests crash the program between two steps
//	fault_off.go    where it is not built for that
package main
