// Package connector is the source of exports: it calls the DFINERY Export API, tells an answer's rows from its failures, and reads its CSV.
//
// It promises that a row is handed out only when all of it arrived, that every other outcome is one *schema.Failure with all that is known of it,
// that memory does not grow with the bytes of an export, and that the token goes to the configured host alone and into no text.
// A Client makes calls; a Source makes them when the limits of package limiter grant them, so that neither the quota nor an API that is
// unwell is burdened with calls that can't succeed. Package csv reads the rows. None of them knows Kafka.
//
// The files, in the order in which a call passes them:
//
//	source.go          Source: permits are granted
//	permit.go          one permit, and the body that its call brings
//	state.go           what is kept over a restart
//	client.go          Client: the request is sent, redirects refused
//	request.go         its address and body
//	call.go            one call: time limits, headers, its end
//	answer.go          rows are told from a failure
//	body.go            the rows; whether the last of them is torn
//	cut.go             a cut that the content shows
//	lineendlearner.go  whether this API leaves out the last newline
//	linematcher.go     the line that ended a day without one, looked for in its next export
//	failure.go         a failure, with full error context
//	retryafter.go      the header Retry-After, read
//	knock.go           a request that is no export, for check
//	scrub.go           the token is taken out of whatever the server wrote
//	escaped.go         also where it was escaped
//
// The rows themselves are read by package csv.
package connector
