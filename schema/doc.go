// Package schema has the types that the source and the pipeline share: exports, columns, rows
// and failures, the fingerprint of a row and the format of a dead letter. Its subpackage
// encoding has the formats of record values, privacy hides cells.
//
// It depends on neither HTTP nor Kafka and imports no other package of this module, so that
// connector and pipeline can both use it without importing each other.
//
// The files:
//
//	export.go         one call: kind, filter, day, and its id in records
//	day.go            a calendar day of the source, and how far back the API exports
//	columns.go        the columns of a header
//	contract.go       what happens to a header with new columns
//	key.go            the columns of a record's key
//	meta.go           the columns that STREAM_X_META adds to values
//	standardnames.go  DFINERY's standard events and properties
//	nearest.go        the nearest known name to a misspelled one
//	row.go            a row, and a row that can't be published
//	fingerprint.go    the hash that identifies a row, and the header id
//	empty.go          how empty cells are published
//	copy.go           copies of short texts in a fixed length, the most frequent step of fingerprints and encoders
//	failure.go        a failed call: code, class and error context
//	rules.go          the consequences of each failure, for the whole program
//	secret.go         a text that is never printed
//	deadletter.go     the record value for a failure or a bad row
//	redact.go         secrets removed from a dead letter
//	wait.go           why no export may start now
package schema
