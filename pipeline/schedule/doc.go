// Package schedule decides which day of which stream is exported next, and what
// the end of an export means for its day. It is pure: it has no I/O, goroutine, log,
// clock or randomness. Its owner passes the time, carries out what is due, and logs
// and counts the events that come back.
//
// State hands out its streams and their days; none of them is safe for concurrent use.
// Everything that changes in them is in the records that Changed lists and in what
// Enter adds to the service's record, except for what a new process need not know:
// which days were requested, how many calls have failed, and how a day's slices went.
package schedule
