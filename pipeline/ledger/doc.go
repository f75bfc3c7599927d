// Package ledger is the connector's state, which is stored in Kafka: the state of each day, the
// fingerprints of its published rows, how far the topics are written, who owns the service, and
// commands.
//
// The ledger is never ahead of Kafka's acknowledgements. A record that can't be read stops the
// service instead of being treated as missing.
//
// Releases can be upgraded and downgraded: a release must run on what the next release wrote,
// and the next release again after it. So records of unknown kinds are skipped and stay in the
// topic, and unknown members are written back with their record. The owner's record and the
// checkpoint are exceptions: they describe the moment at which they were written, and each
// writer writes them completely. New state therefore goes into members of the service's record.
// Only a new version ("v") of a known record is refused.
//
// The package is pure: it has the records, their JSON, and the state that results from them.
// Package store reads and writes them.
package ledger
