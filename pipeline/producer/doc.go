// Package producer writes records to Kafka exactly once: record batches (package recordbatch), one sender for each
// partition, and the fence that keeps older instances out.
//
// It knows nothing of DFINERY. Its promises: records of one partition are appended in the order in which they were given; an
// acknowledged record is never written twice by the same session; once a session is fenced nothing of it is appended any more.
//
// The files, in the order of a record's way:
//
//	identity.go     what the broker knows a producer by
//	session.go      one ownership of partitions: its senders, its end
//	sender.go       a partition's open batch and its queue
//	pool.go         memory of batches, used again
//	deliver.go      a batch is sent until it is acknowledged or refused permanently
//	errors.go       why a session ends, and what a broker's answer means
//	meter.go        what was written, counted
//	fence.go        older instances are kept out: producer id and epoch
//	marker.go       the marker in every partition that makes the broker refuse them
//	clock.go        how long a fence may be relied on
//	clock_linux.go  the time that a suspended machine slept, too
//	clock_other.go  where that is not to be had
package producer
