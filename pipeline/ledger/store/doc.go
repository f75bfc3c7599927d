// Package store reads and writes a service's ledger in its two topics: records in a compacted
// one, fingerprints of rows in another.
package store
