package main_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCompletion: completion offers the possible values even if of all variables only STREAMS
// is valid, and never names of files.
func TestCompletion(t *testing.T) {
	t.Parallel()
	two := []string{"STREAMS=purchases, users"}
	tests := map[string]struct {
		environ []string
		args    []string
		want    string // separated by spaces
	}{
		"streams":             {two, []string{"backfill", ""}, "purchases users"},
		"streams, by default": {nil, []string{"pause", ""}, "events"},
		"one stream alone":    {two, []string{"resume", "users", ""}, ""},
		"no files":            {nil, []string{"run", ""}, ""},
		"kinds":               {nil, []string{"dlq", "list", "--kind", ""}, "export row"},
		"streams of letters":  {two, []string{"dlq", "replay", "--stream", ""}, "purchases users"},
		"codes": {nil, []string{"dlq", "list", "--code", ""}, "unknown_error query_error client_connection_closed cut_body maybe_torn open_quote empty_body " +
			"connection timeout tls not_csv redirect too_many_api_requests unauthorized_token invalid_parameter bad_header bad_encoding bad_rows exceed_date_range_limit " +
			"registry_unavailable schema_incompatible schema_refused schema_unknown registry_lost schema_changed new_columns shared_topic misplaced_keys privacy_columns privacy_key " +
			"field_count bad_quotes invalid_utf8 empty_key bad_value duplicate_key too_large"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, _ := run(t, test.environ, append([]string{"__complete"}, test.args...)...)
			offered := strings.Fields(out)
			if diff := cmp.Diff(append(strings.Fields(test.want), ":4"), offered); diff != "" { // 4: no names of files
				t.Errorf("offered (-want +got):\n%s", diff)
			}
		})
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if out, got := run(t, nil, "completion", shell); got.Code != 0 || !strings.Contains(out, "dfinery-kafka") {
			t.Errorf("completion %s: %+v, %d bytes", shell, got, len(out))
		}
	}
}
