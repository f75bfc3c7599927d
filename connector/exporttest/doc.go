// Package exporttest simulates the DFINERY Export API with generated data, for tests,
// benchmarks and the demo.
//
// It follows the public pages of the API: both exports, their parameters, the documented
// failures and the limits. What those pages leave open (whether to_date is inclusive, whether
// failed calls use quota, how the rate headers are spelled) is configurable. The data is
// deterministic: a row is a function of the seed, its day and its number, so a test can compute
// every cell of an export without reading the CSV.
//
// The files:
//
//	server.go   Server: a call from its arrival to its answer
//	start.go    starts a server on loopback or in memory
//	limits.go   quota and concurrency limits, and their headers
//	params.go   parsing and validation of a call's parameters
//	answer.go   one answer: a failure, or an export
//	export.go   a CSV as an answer: chunks, length, compression
//	body.go     the bytes of a CSV, up to where a fault cuts it
//	faults.go   faults that can be injected into a call
//	badrows.go  malformed lines
//	calls.go    the record of all calls
//
//	data.go     Data: the data of a service
//	columns.go  its columns, and the values of their cells
//	header.go   columns that change from day to day
//	rows.go     the row for a seed, a day and a number
//	sheet.go    the rows of one call, with the faults of its lines
//	render.go   a row as CSV
//	expect.go   the rows that an export must contain, without the CSV
package exporttest
