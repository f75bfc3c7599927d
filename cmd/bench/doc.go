// Command bench compares dfinery-kafka with simple programs that do the same work, and with
// kcat. It sets up Kafka, a simulated Export API, and the binary. Contenders run in turns, each
// in a separate process. After each run the topic is compared with the rows of the API, cell by
// cell; a wrong run ends the benchmark, and its figures are not shown.
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
