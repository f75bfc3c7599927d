// Package profiles decides what a snapshot of profiles changes in a compacted
// topic: which rows are published, who is absent, and who may be deleted.
//
// The topic is the state. A Scan takes every record of it into a State, 16 bytes
// for each slot; the rows of a snapshot are met in that State; Decide says at the
// end of the snapshot what follows for the keys that were not met. A key is
// deleted only if two snapshots that prove to be whole lack it.
//
// It is pure: it does no I/O, and the time is passed to it.
package profiles
