// Package exporttest serves the DFINERY Export API from made-up data, for tests, benchmarks and the demo: what net/http/httptest is to net/http.
//
// It keeps to the public pages of the API: both exports, their parameters, the documented failures and the limits. What
// those pages leave open (is to_date inclusive, do failed calls use up quota, which spelling have the rate headers) is a field.
// Its data is deterministic: a row is a function of the seed, its day and its number, so a test can name every cell that
// an export holds without reading the CSV.
package exporttest
