// Command bench compares dfinery-kafka with simple programs that do the same work, and with
// kcat. It sets up Kafka, a simulated Export API, and the binary. Contenders run in turns, each
// in a separate process. After each run the topic is compared with the rows of the API, cell by
// cell; a wrong run ends the benchmark, and its figures are not shown.
package main
