// Package exportapi makes calls of the DFINERY Export API, and distinguishes the rows of an answer from a failure.
//
// It promises that a row is handed out only when all of it arrived, that every other outcome is one *schema.Failure with full error context,
// that memory does not grow with the bytes of an export, and that the token goes to the configured host alone and into no text.
// An answer is interpreted by its bytes: its headers for compression, content type and charset count as far as they agree with those.
//
// It has no policy: package limiter says when a call may be made. Package csv reads the rows, package charset makes UTF-8 of other text.
package exportapi
