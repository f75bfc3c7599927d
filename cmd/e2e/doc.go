// Package e2e tests the whole program from outside: the built binary, or several of them,
// between a simulated Export API and a Kafka.
//
// The Kafka is embedded in the test process, or a real one that KAFKA_TEST_BROKERS names. Tests
// of the command line alone are in cmd/dfinery-kafka.
package e2e
