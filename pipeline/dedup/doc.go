// Package dedup knows which rows of a day are published.
//
// A row is known by its fingerprint. Identical rows of one export share it and
// are distinguished by their copy number: 0 for the first of them in the export's
// order, 1 for the second, and so on. Rows that could not be published count as
// well, so any copies may be published and any may be missing: 0 and 2, but not 1.
//
// A Set holds the published copies and numbers those that an export reads. A Day
// is a Set together with those of its rows that the ledger does not have yet.
package dedup
