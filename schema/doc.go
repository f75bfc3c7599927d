// Package schema holds the words that the source and the pipeline share: exports, columns, rows and failures,
// the fingerprint of a row, its form in Kafka and the form of a dead letter.
//
// It knows neither HTTP nor Kafka and imports nothing of ours, so that connector and pipeline can both speak it without meeting.
package schema
