// Package check looks at everything that the connector stands on: configuration, API, brokers, rights, topics, clocks and the
// ledger. It promises to disturb nobody: the owner is not fenced, no topic is made, and without Call no quota is spent.
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
