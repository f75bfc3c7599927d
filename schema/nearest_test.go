package schema_test

import (
	"testing"

	"dfinery-kafka/schema"
)

func TestNearest(t *testing.T) {
	names := []string{"TOPIC", "KEY", "TOPICS"}
	tests := map[string]struct {
		word  string
		slack int
		want  string
	}{
		"itself":           {"TOPIC", 0, "TOPIC"},
		"one letter":       {"TOPIK", 1, "TOPIC"},
		"swapped":          {"TOIPC", 1, "TOPIC"},
		"left out":         {"KY", 1, "KEY"},
		"added":            {"KEYX", 1, "KEY"},
		"the first of two": {"TOPICX", 1, "TOPIC"},
		"too far":          {"TIPOK", 1, ""},
		"empty":            {"", 2, ""},
		"longer":           {"TOPICSXX", 2, "TOPICS"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := schema.Nearest(test.word, names, test.slack); got != test.want {
				t.Errorf("schema.Nearest(%q) = %q, want %q", test.word, got, test.want)
			}
		})
	}
}
