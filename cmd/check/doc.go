// Package check checks everything that the connector depends on: configuration, API, brokers,
// rights, topics, clocks and the ledger. The owner is not fenced, no topic is created, and without
// Call no quota is spent. All that it writes is one transaction marker to the ledger's topic, with
// a transactional id of its own: the owner and consumers ignore it.
package check
