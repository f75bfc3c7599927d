// Package recovery reads back what the topics hold and the ledger does not have.
//
// The ledger's last checkpoint says how far each partition was written. Records
// behind that are news. A log that is shorter than its mark, or has another record
// there, is not the log that the checkpoint is about: its topic was deleted and
// recreated, or an unclean leader election lost records back. Such a log is read
// as a whole, and what is in it is merged with what the ledger has, by id and
// copy number: it is news only where the ledger lacks it. What only the ledger has
// is gone from Kafka, and is reported.
//
// The package changes nothing. Its caller has fenced the partitions: the ends of
// their logs are final.
package recovery
