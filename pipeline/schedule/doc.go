// Package schedule decides which day of which stream is exported next, and what the end
// of an export means for its day. It is pure: it has no I/O, goroutine, log, clock or
// randomness. Its owner passes the time, carries out what is due, and logs and counts
// the returned events.
//
// State hands out its streams and their days; none of them is safe for concurrent use.
// All of their state is in the records that Changed lists and in what SaveTo adds to the
// service's record, except for state that a new process does not need: which days were
// requested, how many calls have failed, and the results of a day's slices.
package schedule
