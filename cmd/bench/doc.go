// Command bench measures dfinery-kafka beside plain programs that do the same work, and beside kcat.
//
// It prepares everything: a Kafka, a simulated Export API, the binary. Contenders run in turns, each as a process of its own. After
// each run the topic is compared with what the API served, cell by cell; a run that was wrong ends the benchmark, and no figure
// of it is shown.
//
// The files:
//
//	main.go       the process
//	command.go    flags, and what a contender is told
//	bench.go      the table: contenders in turns
//	growth.go     how the cost grows, one thing changed at a time
//	formats.go    what each format of values costs
//	micro.go      the packages' own benchmarks
//	contender.go  ours, the references, kcat
//	reference.go  a plain program: encoding/csv, encoding/json
//	kafkago.go    and kafka-go
//	franzgo.go    or franz-go
//	process.go    a process, and what it took
//	poll.go       one poll of a process that goes on
//	data.go       the rows that are exported
//	serve.go      the API and the embedded broker, as processes
//	kafka.go      a real Kafka, and its topics
//	verify.go     a topic compared with the rows
//	hidden.go     rows whose columns are hashed
//	identity.go   a hash that identifies a row
//	report.go     the table, and the file for benchstat
package main
