package pipeline

import (
	"fmt"
	"strings"
)

// ShownBefore lists the topics that still have cells, or hashes of them, of a stream
// that starts to hide columns.
func (c *Config) ShownBefore(stream string) string {
	return fmt.Sprintf("topic %s rows, %s dead letters for 90 days, %s.rows fingerprints of whole rows for 35 days", c.topicOf(stream), c.DeadLetterTopic, c.LedgerTopic)
}

// DeleteShownBefore describes how to delete them immediately.
func (c *Config) DeleteShownBefore(stream string) string {
	var b strings.Builder
	b.WriteString("nothing, if they may stay until they expire. Otherwise, once the days are published again, write the previous end offsets of the topics to a file, as shown in schema/README.md#privacy: ")
	for _, topic := range []string{c.topicOf(stream), c.DeadLetterTopic} {
		fmt.Fprintf(&b, "kafka-get-offsets.sh --bootstrap-server %s --topic %s; ", c.Cluster.Bootstrap(), topic)
	}
	fmt.Fprintf(&b, "and run kafka-delete-records.sh --bootstrap-server %s --offset-json-file FILE", c.Cluster.Bootstrap())
	return b.String()
}

func (c *Config) topicOf(stream string) string {
	if st := streamNamed(c.Streams, stream); st != nil {
		return st.Topic
	}
	return ""
}
