package cluster

import "dfinery-kafka/pipeline/recordbatch"

// The words that a log is spoken of in are those of package recordbatch.
type (
	TopicPartition = recordbatch.TopicPartition
	Record         = recordbatch.Record
	Header         = recordbatch.Header
	Marker         = recordbatch.Marker
	Visitor        = recordbatch.Visitor
)
