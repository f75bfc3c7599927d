// Package cluster is Kafka as we reach it: connections with TLS and SASL, metadata that is never stale, topics with their
// configurations and offsets, and reading a range of a partition.
//
// It promises that nothing hangs (each call is bounded by its context and by Config.Timeout), that certificates and passwords
// are read again for each connection, that no error carries a secret, and that a change of leaders is learned at once.
// It knows nothing of exports. kafka-go stays inside, except for Client, which package producer uses.
//
// The files:
//
//	cluster.go       Config, Cluster, and kafka-go's client on it
//	transport.go     requests with a time limit each; a leader that moved is learned at once
//	dial.go          connections: TCP, TLS, the first request
//	sasl.go          logins by password
//	scram.go         the SCRAM mechanisms
//	oauth.go         logins by token
//	expiring.go      connections whose login expires
//	connecterror.go  why a connection failed, and what to check
//	contact.go       whether brokers can be reached, for check
//	health.go        when brokers last answered
//	errors.go        what an answer's error means: fenced, missing, forbidden, retriable
//	retry.go         attempts, spaced
//	topics.go        topics, partitions, leaders
//	timestamps.go    whether a topic takes a takeover's markers by their time
//	configs.go       the configurations of topics, and the command that sets one
//	ensure.go        topics are created
//	rights.go        what the authorizer allows, and the commands that grant it
//	offsets.go       the ends of logs
//	instep.go        answers in the order of their requests
//	read.go          a range of a partition is read: records, markers, holes
//	fetch.go         one Fetch request
//	hole.go          when an empty answer means that there are no records
//	murmur2.go       the partition of a key
package cluster
