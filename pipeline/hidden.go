package pipeline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

// StaleCopies lists the topics that still have cells, or hashes of them, of a stream
// that starts to hide columns. Its rows were published to topic, or to its present one
// if topic is empty.
func (c *Config) StaleCopies(stream, topic string) string {
	st := transfer.Named(c.Streams, stream)
	if st == nil {
		return ""
	}
	topic = cmp.Or(topic, st.Topic)
	rows := "topic " + topic + " rows"
	if st.Changes && st.Topic == topic {
		rows = "topic " + topic + " earlier records until compaction has removed them, about 7 days"
	}
	return fmt.Sprintf("%s, %s dead letters for 90 days, %s fingerprints of whole rows for 35 days", rows, c.DeadLetterTopic, ledger.RowsTopic(c.LedgerTopic))
}

// StaleCopiesAdvice describes how to delete the copies that StaleCopies lists immediately.
func (c *Config) StaleCopiesAdvice(stream, topic string) string {
	st := transfer.Named(c.Streams, stream)
	if st == nil {
		return ""
	}
	topic = cmp.Or(topic, st.Topic)
	var b strings.Builder
	b.WriteString("nothing, if they may stay until they expire. Otherwise, ")
	topics := []string{c.DeadLetterTopic}
	switch {
	case st.Topic != topic:
		fmt.Fprintf(&b, "delete topic %s when its consumers read %s; then ", topic, st.Topic)
	case st.Changes: // brokers refuse to delete records of a compacted topic
		fmt.Fprintf(&b, "set a new topic in %s, and delete %s when its consumers read the new one; then ", schema.StreamVariable(stream, "TOPIC"), topic)
	default:
		topics = []string{topic, c.DeadLetterTopic}
	}
	b.WriteString("once the days are published again, write the previous end offsets of the topics to a file, as shown in schema/README.md#privacy: ")
	for _, topic := range topics {
		fmt.Fprintf(&b, "kafka-get-offsets.sh --bootstrap-server %s --topic %s; ", c.Cluster.Bootstrap(), topic)
	}
	fmt.Fprintf(&b, "and run kafka-delete-records.sh --bootstrap-server %s --offset-json-file FILE", c.Cluster.Bootstrap())
	if st.Changes && st.Topic == topic && hidesKey(st) {
		fmt.Fprintf(&b, ". In the same topic the profiles stay under their former keys, too, until dfinery-kafka profiles approve %s permits their deletes", stream)
	}
	return b.String()
}

// hidesKey reports whether the stream hashes a column of its key.
func hidesKey(st *transfer.Stream) bool {
	return slices.ContainsFunc(st.Key.Columns(), func(column string) bool { return slices.Contains(st.Privacy.Strings(), column) })
}
