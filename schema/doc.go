// Package schema holds the words that the source and the pipeline share: exports, columns, rows and failures,
// the fingerprint of a row and the form of a dead letter. Package encoding below it has the forms of rows in Kafka, package privacy keeps cells out of them.
//
// It knows neither HTTP nor Kafka and imports nothing of ours, so that connector and pipeline can both speak it without meeting.
//
// The files:
//
//	export.go       one call: kind, filter, day, and the names that it gives to records
//	day.go          a calendar day of the source, and how far back the API exports
//	columns.go      the columns of a header
//	row.go          a row, and a row that can't be published
//	fingerprint.go  the hash that identifies a row, and the header id
//	empty.go        what becomes of empty cells
//	copy.go         short texts are copied by a fixed length: what fingerprints and encoders do most
//	failure.go      a failed call: code, class, all that is known of it
//	rules.go        what follows from each failure, for the whole program
//	secret.go       a text that is never printed
//	deadletter.go   the wire form of a failure or a bad row
//	wait.go         why no export may start now
package schema
