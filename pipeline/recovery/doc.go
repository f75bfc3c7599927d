// Package recovery reads the records that are in the topics but not in the ledger.
//
// The ledger's last checkpoint has a mark for each partition. Records after the mark
// are new. A log that is shorter than its mark, or has another record there, is not
// the log of the checkpoint: its topic was deleted and recreated, or an unclean
// leader election lost records. Such a log is read completely and merged with the
// ledger by id and copy number: a record is new only if the ledger lacks it. What
// only the ledger has is lost in Kafka, and is reported. A log without a mark, and the
// records of days that the ledger has lost, are merged in the same way: a row that is
// twice in a topic counts once.
//
// The package changes nothing. Its caller must have fenced the partitions, so that
// the ends of their logs are final.
package recovery
