// Package connector is the source of exports: it calls the DFINERY Export API, tells an answer's rows from its failures, and reads its CSV.
//
// It promises that a row is handed out only when all of it arrived, that every other outcome is one *schema.Failure with all that is known of it,
// that memory does not grow with the bytes of an export, and that the token goes to the configured host alone and into no text.
// A Client makes calls; a Source says when one may be made, so that neither the quota nor an API that is unwell is burdened with calls that can't succeed.
// It knows no Kafka.
//
// The files, in the order in which a call meets them. Whether one may be made, each thing that says no by itself:
//
//	source.go     Source: permits are given, and their outcomes taken
//	permit.go     one permit, and the body that it brings
//	policy.go     the limits
//	breaker.go    the API's database is unwell
//	quota.go      the calls of the last hour
//	others.go     calls of other clients, as the answers' headers tell
//	ratelimit.go  those headers, read
//	throttle.go   the API said that there were too many calls
//	link.go       the way to the API is troubled
//	setback.go    a pause that grows with each failure: what throttle and link have in common
//	token.go      the API refuses the token
//	tokenfile.go  the token's file
//	status.go     all of these, as a snapshot
//	state.go      all of these, kept over a restart
//
// The call and its answer:
//
//	client.go     Client: the request is sent, redirects refused
//	request.go    its address and body
//	call.go       one call: time limits, headers, its end
//	answer.go     rows are told from a failure
//	body.go       the rows; whether the last of them is torn
//	lineendlearner.go  whether this API leaves out the last newline
//	linematcher.go     the line that ended a day without one, looked for in its next export
//	failure.go    a failure, with all that is known of it
//	classes.go    what follows from a failure
//	knock.go      a request that is no export, for check
//	secret.go     the token's type, which is never printed
//	scrub.go      the token is taken out of whatever the server wrote
//	escaped.go    also where it was escaped
//
// The rows themselves are read by package csv.
package connector
