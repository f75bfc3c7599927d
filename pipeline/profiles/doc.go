// Package profiles decides what a snapshot of profiles changes in a compacted
// topic: which rows are published, which profiles are absent, and which are deleted.
//
// The topic is the state. A Scan reads all its records into a State of 16 bytes per
// slot. Compare looks up each row of a snapshot in that State. At the end of the
// snapshot Decide decides about the absent keys. A key is deleted only if two
// snapshots that are proven to be complete lack it.
//
// The package is pure: it does no I/O, and the time is a parameter.
package profiles
