// Command demo runs the whole system in one process, and requires only Go: the API
// simulator, an embedded Kafka broker, and the connector between them, wired as in the
// real command. It ends within seconds, and fails unless every cell of the API is in
// Kafka exactly once. The steps in the order of demoRun.runSteps: export.go, steps.go,
// breaker.go, token.go, kill.go and replay.go. source.go has the faults of the API,
// connector.go the connector's configuration.
package main
