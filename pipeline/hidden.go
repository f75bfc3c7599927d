package pipeline

import (
	"fmt"
	"strings"
)

// ShownBefore names the topics that still hold cells, or hashes of them, of a stream that begins to hide columns.
func (s *Service) ShownBefore(stream string) string {
	return fmt.Sprintf("topic %s rows, %s dead letters for 90 days, %s.rows fingerprints of whole rows for 35 days", s.topicOf(stream), s.DeadLetterTopic, s.LedgerTopic)
}

// DeleteShownBefore is how to delete them at once.
func (s *Service) DeleteShownBefore(stream string) string {
	var b strings.Builder
	b.WriteString("nothing, if they may stay until they expire. Else, once the days are published again, put the ends that the topics had before into a file, as schema/README.md#privacy shows: ")
	for _, topic := range []string{s.topicOf(stream), s.DeadLetterTopic} {
		fmt.Fprintf(&b, "kafka-get-offsets.sh --bootstrap-server %s --topic %s; ", s.Cluster.Bootstrap(), topic)
	}
	fmt.Fprintf(&b, "and run kafka-delete-records.sh --bootstrap-server %s --offset-json-file FILE", s.Cluster.Bootstrap())
	return b.String()
}

func (s *Service) topicOf(stream string) string {
	for st := range s.streams {
		if st.Name == stream {
			return st.Topic
		}
	}
	return ""
}
