// Package exportapi makes calls of the DFINERY Export API, and distinguishes the rows of an
// answer from a failure.
//
// A row is returned only when all of it has arrived; every other outcome is one *schema.Failure
// with full error context. Memory does not grow with the size of an export. The token is sent
// only to the configured host and never appears in a text. An answer is interpreted by its
// bytes: its headers for compression, content type and charset are used as far as they agree
// with those.
//
// The package has no policy: package limiter decides when a call may be made. Package csv reads
// the rows, package charset converts other text to UTF-8.
package exportapi
