package main

import (
	"strings"
	"testing"

	"github.com/segmentio/kafka-go"
)

func message(value string, headers ...string) kafka.Message {
	m := kafka.Message{Value: []byte(value)}
	for i := 0; i < len(headers); i += 2 {
		m.Headers = append(m.Headers, kafka.Header{Key: headers[i], Value: []byte(headers[i+1])})
	}
	return m
}

func TestDeduplicator(t *testing.T) {
	var out strings.Builder
	d := &deduplicator{seen: map[string]map[string]bool{}, out: &out}
	for _, m := range []kafka.Message{
		message("a", "id", "1", "export", "1234/events/2026-11-30/1"),
		message("a", "id", "1", "export", "1234/events/2026-11-30/2"),
		message("another day", "id", "1", "export", "1234/events/2026-12-01/1"),
		message("of another program"),
	} {
		if err := d.take(m); err != nil {
			t.Fatal(err)
		}
	}
	if got := out.String(); got != "a\nanother day\n" {
		t.Errorf("printed %q", got)
	}
	changed := message("A", "id", "1", "export", "1234/users/2026-11-30/3", "op", "u")
	if err := d.take(changed); err == nil || !strings.Contains(err.Error(), "MODE=changes") {
		t.Errorf("a topic of changes: %v, want that it is refused", err)
	}
}
