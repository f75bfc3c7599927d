package schema_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/schema"
)

// TestExportID formats and parses the header "export" of records. Other texts are refused.
func TestExportID(t *testing.T) {
	day, err := schema.ParseDay("2026-11-23")
	if err != nil {
		t.Fatal(err)
	}
	export := schema.Export{Service: "1234", Stream: "events", Day: day, N: 7}
	if diff := cmp.Diff("1234/events/2026-11-23/7", export.ID()); diff != "" {
		t.Errorf("ID (-want +got):\n%s", diff)
	}
	got, err := schema.ParseExportID(export.ID())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(schema.ExportName{Service: "1234", Stream: "events", Day: day, N: 7}, got); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
	for _, text := range []string{"", "1234/events/2026-11-23", "1234/events/2026-11-23/7/8", "1234/events/2026-11-31/7", "1234/events/2026-11-23/x"} {
		if got, err := schema.ParseExportID(text); err == nil {
			t.Errorf("%q is read as %+v", text, got)
		}
	}
}
