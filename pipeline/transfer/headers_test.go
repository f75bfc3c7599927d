package transfer

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/schema"
)

func headerRow(t *testing.T, names []string, cells ...string) *schema.Row {
	t.Helper()
	columns, err := schema.NewColumns(names)
	if err != nil {
		t.Fatal(err)
	}
	row := &schema.Row{Columns: columns}
	for _, cell := range cells {
		start := uint32(len(row.Data))
		row.Data = append(row.Data, cell...)
		row.Cells = append(row.Cells, schema.Span{Start: start, End: uint32(len(row.Data))})
	}
	return row
}

func TestRecordHeaders(t *testing.T) {
	names := []string{"df_unified_id", "event_name", "df_server_datetime", "df_platform"}
	events := schema.Export{Service: "1234", Stream: "events", Kind: schema.Event, Day: 20000, N: 7}
	profiles := schema.Export{Service: "1234", Stream: "users", Kind: schema.UserProfile, Day: 20000, N: 1}
	type headers = [][2]string
	id := []byte("ID")
	for name, test := range map[string]struct {
		options HeaderOptions
		call    schema.Export
		cells   []string
		want    headers
	}{
		"as ever": {HeaderOptions{}, events, []string{"u1", "df_login", "2026-11-23T10:58:14Z", "iOS"}, headers{{"id", "ID"}, {"export", "1234/events/2024-10-04/7"}}},
		"columns": {HeaderOptions{Columns: []string{"event_name", "df_platform", "no_such"}}, events, []string{"u1", "df_login", "", ""},
			headers{{"id", "ID"}, {"export", "1234/events/2024-10-04/7"}, {"event_name", "df_login"}}},
		"an event": {HeaderOptions{CloudEvents: true, ContentType: "application/avro"}, events, []string{"u1", "df_login", "2026-11-23T10:58:14.123456+0900", ""},
			headers{{"id", "ID"}, {"export", "1234/events/2024-10-04/7"}, {"ce_specversion", "1.0"}, {"ce_source", "/1234/events/2024-10-04"}, {"content-type", "application/avro"},
				{"ce_id", "ID"}, {"ce_type", "df_login"}, {"ce_time", "2026-11-23T10:58:14.123456+09:00"}}},
		"an event without name and time": {HeaderOptions{CloudEvents: true, ContentType: "application/json"}, events, []string{"u1", "", "yesterday", ""},
			headers{{"id", "ID"}, {"export", "1234/events/2024-10-04/7"}, {"ce_specversion", "1.0"}, {"ce_source", "/1234/events/2024-10-04"}, {"content-type", "application/json"},
				{"ce_id", "ID"}, {"ce_type", "events"}}},
		"a profile": {HeaderOptions{CloudEvents: true, ContentType: "application/json"}, profiles, []string{"u1", "", "", ""},
			headers{{"id", "ID"}, {"export", "1234/users/2024-10-04/1"}, {"ce_specversion", "1.0"}, {"ce_source", "/1234/users/2024-10-04"}, {"content-type", "application/json"},
				{"ce_id", "ID"}, {"ce_type", "userprofile"}}},
	} {
		t.Run(name, func(t *testing.T) {
			row := headerRow(t, names, test.cells...)
			h := newRecordHeaders(&test.options, &test.call, false)
			h.setColumns(&test.options, row.Columns)
			for range 2 { // the second record reuses the memory
				var got headers
				for _, one := range h.of(row, id) {
					got = append(got, [2]string{string(one.Key), string(one.Value)})
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Fatalf("(-want +got):\n%s", diff)
				}
			}
			if n := testing.AllocsPerRun(100, func() { h.of(row, id) }); n > 0 {
				t.Errorf("a record's headers take %v allocations", n)
			}
		})
	}
}
