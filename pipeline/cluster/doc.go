// Package cluster is Kafka as we reach it: connections with TLS and SASL, metadata that is never stale, topics with their
// configurations and offsets, and reading a range of a partition.
//
// It promises that nothing hangs (each call is bounded by its context and by Config.Timeout), that certificates and passwords
// are read again for each connection, that no error carries a secret, and that a change of leaders is learned at once.
// It knows nothing of exports. kafka-go stays inside, except for Client, which the producing side speaks to.
package cluster
