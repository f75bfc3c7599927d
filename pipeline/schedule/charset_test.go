package schedule

import (
	"testing"

	"dfinery-kafka/schema"
)

// TestCharset: UTF-8 is assumed until an export with rows names another charset, which is
// then kept until one names another.
func TestCharset(t *testing.T) {
	for name, test := range map[string]struct {
		kept      charset
		notes     []string
		published bool
		want      string
	}{
		"nothing published":          {"", nil, false, ""},
		"published by any release":   {"", nil, true, schema.UTF8},
		"read in another one":        {"", []string{"EUC-KR"}, true, "EUC-KR"},
		"nothing new is said of it":  {"EUC-KR", []string{""}, true, "EUC-KR"},
		"known before the first row": {"EUC-KR", nil, false, "EUC-KR"},
		"UTF-8 after ASCII":          {"us-ascii", []string{schema.UTF8}, true, schema.UTF8},
	} {
		c := test.kept
		for _, note := range test.notes {
			c.note(note)
		}
		if got := c.of(test.published); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
