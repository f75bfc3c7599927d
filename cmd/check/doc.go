// Package check checks everything that the connector depends on: configuration, API, brokers,
// rights, topics, clocks and the ledger. It changes nothing: the owner is not fenced, no topic
// is created, and without Call no quota is spent.
//
// The files:
//
//	check.go     Check: the checks in their order; clocks compared
//	network.go   the API's host, the brokers, certificates
//	rights.go    rights granted by the authorizer
//	registry.go  the schema registry
//	address.go   ADMIN_ADDR, and an instance that listens there
//	service.go   problems of the service that the ledger reports
//	topics.go    topics: existing, writable, durable, their retention
//	ledger.go    a rehearsal of the takeover; the ledger can be read
//	call.go      one export call, only with Call
//	write.go     the result as text and as JSON
package check
