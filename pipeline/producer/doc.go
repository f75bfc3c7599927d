// Package producer writes records to Kafka exactly once: record batches (package recordbatch),
// one sender per partition, and fencing of older instances.
//
// It is independent of DFINERY. Records of one partition are appended in the order of Append;
// an acknowledged record is never written twice by the same session; nothing of a fenced
// session is appended any more.
//
// The files, in the order of a record's way:
//
//	identity.go     producer id and epoch
//	session.go      one ownership of partitions: its senders, its end
//	sender.go       a partition's open batch and its queue
//	pool.go         reused memory of batches
//	deliver.go      sends a batch until it is acknowledged or refused permanently
//	errors.go       why a session ends, and what a broker's answer means
//	meter.go        counts what was written
//	fence.go        fences older instances: takeover and renewal
//	marker.go       the marker in every partition that makes the broker refuse them
//	clock.go        how long a fence is relied on
//	clock_linux.go  time since boot, including suspended time
//	clock_other.go  systems without such a clock
package producer
