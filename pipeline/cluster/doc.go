// Package cluster connects to Kafka: connections with TLS and SASL, up-to-date metadata, topics
// with their configurations and offsets, and reading a range of a partition.
//
// Each call is limited by its context and by Config.Timeout. Certificates and passwords are
// read again for each connection. Errors contain no secrets. A change of leaders is noticed at
// once. The package is independent of exports, and hides kafka-go, except for Client, which
// package producer uses.
//
// The files:
//
//	cluster.go       Config, Cluster, and kafka-go's client on it
//	transport.go     requests with timeouts; metadata is refreshed when a leader moved
//	dial.go          connections: TCP, TLS, the first request
//	sasl.go          logins by password
//	scram.go         the SCRAM mechanisms
//	oauth.go         logins by token
//	expiring.go      connections whose login expires
//	connecterror.go  why a connection failed, and what to check
//	contact.go       whether brokers can be reached, for check
//	health.go        when brokers last answered
//	errors.go        what an answer's error means: fenced, missing, forbidden, retriable
//	retry.go         retries with backoff
//	topics.go        topics, partitions, leaders
//	timestamps.go    whether a topic accepts the timestamps of a takeover's markers
//	configs.go       the configurations of topics, and the command that sets one
//	ensure.go        creates topics
//	rights.go        rights granted by the authorizer, and the commands that grant them
//	offsets.go       the ends of logs
//	instep.go        checks that answers are in the order of their requests
//	read.go          reads a range of a partition: records, markers, holes
//	fetch.go         one Fetch request
//	hole.go          when an empty answer means that there are no records
//	murmur2.go       the partition of a key
package cluster
