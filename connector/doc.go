// Package connector is the source of exports: it calls the DFINERY Export API, tells an answer's rows from its failures, and reads its CSV.
//
// It promises that a row is handed out only when all of it arrived, that every other outcome is one *schema.Failure with all that is known of it,
// that memory does not grow with the bytes of an export, and that the token goes to the configured host alone and into no text.
// A Client makes calls; a Source says when one may be made, so that neither the quota nor an API that is unwell is burdened with calls that can't succeed.
// It knows no Kafka.
package connector
