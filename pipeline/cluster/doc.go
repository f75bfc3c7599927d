// Package cluster connects to Kafka: connections with TLS and SASL, up-to-date metadata, topics
// with their configurations and offsets, and reading a range of a partition.
//
// Each call is limited by its context and by Config.Timeout. Certificates and passwords are
// read again for each connection. Errors contain no secrets. A change of leaders is noticed at
// once. The package is independent of exports, and hides kafka-go, except for Client, which
// package producer uses.
package cluster
