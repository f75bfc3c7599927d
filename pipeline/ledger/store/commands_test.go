package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCommands: only the last records of commands to the service are read. Other records are not
// parsed.
func TestCommands(t *testing.T) {
	s := newTestLedger(t, 1)
	s.put(0, "command/before", `{"service":"1234","verb":"pause"}`)
	s.put(0, "command/b", `{"service":"1234","verb":"pause"}`)
	s.put(0, "day/1234/events/2026-11-22", "not JSON")
	s.put(0, "command/other", `{"service":"999","verb":"pause"}`)
	s.put(0, "command/a", `{"service":"1234","verb":"resume"}`)
	s.put(0, "command/gone", `{"service":"1234","verb":"resume"}`)
	s.put(0, "owner/1234", "")
	s.put(0, "command/b", `{"service":"1234","verb":"pause","error":"no"}`)
	s.put(0, "command/gone", "")
	s.put(0, "command/broken", "not JSON")
	list, err := s.Commands(s.soon(), 0, 1, 10)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range list {
		got = append(got, c.ID+" "+c.Verb+" "+c.Error)
	}
	want := []string{"a resume ", "b pause no", "broken  not a JSON object: invalid character 'o' in literal null (expecting 'u')"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
}
