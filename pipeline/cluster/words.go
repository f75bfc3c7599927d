package cluster

import "dfinery-kafka/pipeline/recordbatch"

// What is read of a log has the types of package recordbatch.
type (
	// TopicPartition names a partition.
	TopicPartition = recordbatch.TopicPartition
	// Record is one record of a partition.
	Record = recordbatch.Record
	// Header is a record's header.
	Header = recordbatch.Header
	// Marker is a control record: the end of a transaction.
	Marker = recordbatch.Marker
	// Visitor is called with what a log holds.
	Visitor = recordbatch.Visitor
)
