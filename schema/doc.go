// Package schema has the types that the source and the pipeline share: exports, columns, rows
// and failures, the fingerprint of a row and the format of a dead letter. Its subpackage
// encoding has the formats of record values, privacy hides cells.
//
// It depends on neither HTTP nor Kafka and imports no other package of this module, so that
// connector and pipeline can both use it without importing each other.
package schema
