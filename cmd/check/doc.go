// Package check checks everything that the connector depends on: configuration, API, brokers, rights, topics, clocks and the
// ledger. It changes nothing: the owner is not fenced, no topic is created, and without Call no quota is spent.
//
// The files:
//
//	check.go    Check: the looks in their order; clocks compared
//	network.go  the API's host, the brokers, certificates
//	rights.go   what the authorizer allows
//	topics.go   topics: there, writable, durable, forgetting
//	ledger.go   the fence, rehearsed; the ledger, read
//	call.go     one export call, with Call alone
//	write.go    the lines, for people and as JSON
package check
