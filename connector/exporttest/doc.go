// Package exporttest serves the DFINERY Export API from made-up data, for tests, benchmarks and the demo: what net/http/httptest is to net/http.
//
// It keeps to the public pages of the API: both exports, their parameters, the documented failures and the limits. What
// those pages leave open (is to_date inclusive, do failed calls use up quota, which spelling the rate headers have) is a field.
// Its data is deterministic: a row is a function of the seed, its day and its number, so a test can name every cell that
// an export holds without reading the CSV.
//
// The files:
//
//	server.go   Server: a call from its arrival to its answer
//	start.go    it serves, on loopback or in memory
//	limits.go   the calls that a service may make, and their headers
//	params.go   a call's parameters, read and refused as the API does
//	answer.go   one answer: a failure, or an export
//	export.go   a CSV as an answer: chunks, length, compression
//	body.go     its bytes, as far as a fault lets them
//	faults.go   what goes wrong with a call
//	badrows.go  lines that are not rows
//	calls.go    what the server has seen
//
//	data.go     Data: what a service holds
//	columns.go  its columns, and the values of their cells
//	header.go   columns that change from day to day
//	rows.go     a row by the seed, its day and its number
//	sheet.go    the rows of one call, with the faults of its lines
//	render.go   a row as CSV
//	expect.go   what an export has to bring, without the CSV
package exporttest
