// Package exporttest simulates the DFINERY Export API with generated data, for tests,
// benchmarks and the demo.
//
// It follows the public pages of the API: both exports, their parameters, the documented
// failures and the limits. What those pages leave open (whether to_date is inclusive, whether
// failed calls use quota, how the rate headers are spelled) is configurable. The data is
// deterministic: a row is a function of the seed, its day and its number, so a test can compute
// every cell of an export without reading the CSV.
package exporttest
