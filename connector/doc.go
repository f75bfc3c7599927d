// Package connector is the source of exports: it calls the DFINERY Export API, tells an answer's rows from its failures, and reads its CSV.
//
// It promises that a row is handed out only when all of it arrived, that every other outcome is one *schema.Failure with all that is known of it,
// that memory does not grow with the bytes of an export, and that the token goes to the configured host alone and into no text.
// It knows no Kafka.
package connector
