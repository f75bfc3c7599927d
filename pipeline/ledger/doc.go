// Package ledger is the connector's state, kept in Kafka: the state of each day, the fingerprints of its published rows, how
// far the topics are written, who owns the service, what was commanded.
//
// Its promises: nothing here runs ahead of Kafka's acknowledgements; a record that can't be read stops the service instead of
// counting as absent.
//
// A release must be able to run on what its successor wrote, and the successor again behind it. So records of a kind that is not known
// are skipped and stay in the topic, and members that are not known are written back with the record. The owner's record and the
// checkpoint are the exception: they describe the moment at which they were written, and the next writer writes all of it.
// New state therefore goes into members of the service's record. Only a new version ("v") of a known record is refused.
//
// The package is pure: records, their JSON, and the state that they add up to. Package store reads and writes them.
package ledger
