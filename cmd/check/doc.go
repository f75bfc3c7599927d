// Package check checks everything that the connector depends on: configuration, API, brokers, rights, topics, clocks and the
// ledger. It changes nothing: the owner is not fenced, no topic is created, and without Call no quota is spent.
//
// The files:
//
//	check.go     Check: the checks in their order; clocks compared
//	network.go   the API's host, the brokers, certificates
//	rights.go    what the authorizer allows
//	registry.go  the schema registry
//	address.go   ADMIN_ADDR, and an instance that listens there
//	service.go   what the ledger reports as wrong with the service
//	topics.go    topics: existing, writable, durable, their retention
//	ledger.go    the fence, rehearsed; the ledger, read
//	call.go      one export call, only with Call
//	write.go     the lines, for people and as JSON
package check
