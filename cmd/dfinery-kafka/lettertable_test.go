package main

import (
	"strings"
	"testing"
)

// TestLetterTable_Aligned: the columns are aligned, whatever code comes last.
func TestLetterTable_Aligned(t *testing.T) {
	t.Setenv("STREAMS", "events,purchases")
	var out strings.Builder
	table := newLetterTable(&out, 4)
	for _, code := range append([]string{"CODE"}, codes()...) {
		if err := table.line([]string{"0/1", "", "purchases", "", "row", code, "open"}, "detail"); err != nil {
			t.Fatal(err)
		}
	}
	at := map[int]bool{}
	for line := range strings.Lines(out.String()) {
		at[strings.Index(line, "detail")] = true
	}
	if len(at) != 1 {
		t.Errorf("not aligned:\n%s", out.String())
	}
}
