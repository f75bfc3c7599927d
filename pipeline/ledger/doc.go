// Package ledger is what is known of the past, kept in Kafka: the state of each day, the fingerprints of its published rows, how
// far the topics are written, who owns the service, what was commanded.
//
// Its promises: nothing here runs ahead of Kafka's acknowledgements; a record that can't be read stops the service instead of
// counting as absent; what a newer release wrote is refused or kept, never dropped.
//
// The files:
//
//	topics.go   the two topics, and the configuration that they need
//	records.go  the records of the state topic: owner, checkpoint, service, day, command
//	codec.go    their JSON; members that this release does not know are kept
//	parts.go    the same for the parts of records
//	write.go    records and fingerprints are written, by the owner's session
//	load.go     the state is read; Books name the topics and the service
//	confirm.go  a day's record, as far as a checkpoint confirms it
//	give.go     commands are written and watched, by anybody
//	rows.go     a day's fingerprints are read
//	set.go      the set of a day's fingerprints, in memory
//	segment.go  a part of its table
//	slot.go     a place in that
package ledger
