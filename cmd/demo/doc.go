// Command demo shows the whole system in one process, with nothing but Go: the API simulator, an embedded Kafka broker, and the
// connector between them, wired as the real command wires it. It ends by itself within seconds, and with an error unless
// every cell that the API holds is in Kafka exactly once.
//
// The files:
//
//	main.go       flags
//	demo.go       the story, from beginning to end
//	chapters.go   what each of its parts shows
//	source.go     the simulated service, and what goes wrong with it
//	connector.go  the connector, configured and run
//	consume.go    a topic, read by a client that is not ours
//	compare.go    all rows of the API against all records
//	feed.go       the connector's log, for people
//	print.go      lines and colours
package main
