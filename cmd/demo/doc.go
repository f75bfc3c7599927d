// Command demo shows the whole system in one process, with nothing but Go: the API simulator, an embedded Kafka broker, and the
// connector between them, wired as the real command wires it. It ends by itself within seconds, and with an error unless
// every cell that the API holds is in Kafka exactly once.
//
// The chapters are told in the order of story.tell: export.go, chapters.go,
// breaker.go, token.go, kill.go and replay.go. source.go has what goes wrong at
// the API, connector.go the connector's configuration.
package main
