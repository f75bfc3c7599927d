// Package dedup tracks which rows of a day are published.
//
// A row is identified by its fingerprint. Identical rows of one export share it and
// are distinguished by their copy number: 0 for the first of them in the export's
// order, 1 for the second, and so on. Rows that could not be published are counted,
// too, so any copies may be published or missing: for example 0 and 2, but not 1.
//
// A Set holds the published copies and numbers those that an export reads. A Day
// is a Set together with those of its rows that are not yet in the ledger.
package dedup
