package schema_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/schema"
)

// TestRules: the consequences of each code, one in each line.
func TestRules(t *testing.T) {
	classes := [...]string{schema.Trouble: "trouble", schema.Outage: "outage", schema.Throttled: "throttled", schema.Unauthorized: "unauthorized",
		schema.Refused: "refused", schema.OutOfReach: "out of reach", schema.Truncated: "truncated", schema.Postponed: "postponed", schema.Cancelled: "cancelled"}
	scopes := [...]string{schema.OfExport: "export", schema.OfAPI: "API", schema.OfRow: "row"}
	counted := [...]string{schema.Never: "never", schema.OnRequest: "on request", schema.Always: "counted"}
	line := func(r schema.Rule) string {
		return fmt.Sprintf("%s: %s, %s, %s", r.Code, scopes[r.Scope], classes[r.Class], counted[r.Breaker])
	}
	var got []string
	for _, r := range schema.Rules() {
		if again := schema.RuleOf(r.Code); again != r || r.Advice == "" {
			t.Errorf("the rule of %s is %+v", r.Code, again)
		}
		if r.Scope == schema.OfRow {
			got = append(got, string(r.Code)+": row")
			continue
		}
		got = append(got, line(r))
	}
	for _, status := range []int{200, 301, 400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 411, 413, 414, 415, 418, 422, 425, 429, 431, 451, 500, 502, 599, 600} {
		got = append(got, line(schema.RuleOf(schema.HTTPStatus(status))))
	}
	got = append(got, line(schema.RuleOf("http_5000")), line(schema.RuleOf("http_50a")), line(schema.RuleOf("")))
	want := []string{
		"unknown_error: API, outage, counted",
		"query_error: API, outage, counted",
		"client_connection_closed: API, trouble, on request",
		"cut_body: export, trouble, on request",
		"maybe_torn: export, truncated, on request",
		"open_quote: export, truncated, never",
		"empty_body: export, trouble, on request",
		"connection: export, trouble, on request",
		"timeout: export, trouble, on request",
		"tls: export, trouble, on request",
		"not_csv: export, trouble, on request",
		"redirect: export, trouble, never",
		"too_many_api_requests: API, throttled, never",
		"unauthorized_token: API, unauthorized, never",
		"invalid_parameter: API, refused, never",
		"bad_header: export, refused, never",
		"bad_encoding: export, refused, never",
		"bad_rows: export, refused, never",
		"exceed_date_range_limit: API, out of reach, never",
		"registry_unavailable: export, postponed, never",
		"schema_incompatible: export, refused, never",
		"schema_refused: export, refused, never",
		"schema_unknown: export, refused, never",
		"registry_lost: export, refused, never",
		"schema_changed: export, refused, never",
		"new_columns: export, refused, never",
		"shared_topic: export, refused, never",
		"misplaced_keys: export, refused, never",
		"privacy_columns: export, refused, never",
		"privacy_key: export, refused, never",
		"field_count: row", "bad_quotes: row", "invalid_utf8: row", "empty_key: row", "bad_value: row", "duplicate_key: row", "too_large: row",
		"http_200: export, trouble, never",
		"http_301: export, trouble, never",
		"http_400: export, refused, never",
		"http_401: export, unauthorized, never",
		"http_402: export, trouble, never",
		"http_403: export, unauthorized, never",
		"http_404: export, refused, never",
		"http_405: export, refused, never",
		"http_406: export, refused, never",
		"http_408: export, trouble, never",
		"http_409: export, trouble, never",
		"http_410: export, refused, never",
		"http_411: export, trouble, never",
		"http_413: export, refused, never",
		"http_414: export, refused, never",
		"http_415: export, refused, never",
		"http_418: export, trouble, never",
		"http_422: export, refused, never",
		"http_425: export, trouble, never",
		"http_429: export, throttled, never",
		"http_431: export, refused, never",
		"http_451: export, trouble, never",
		"http_500: export, trouble, on request",
		"http_502: export, trouble, on request",
		"http_599: export, trouble, on request",
		"http_600: export, trouble, never",
		"http_5000: export, trouble, never",
		"http_50a: export, trouble, never",
		": export, trouble, never",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestEffects(t *testing.T) {
	want := map[schema.Class]schema.Effect{
		schema.Trouble:      {Connection: true},
		schema.Outage:       {Token: schema.TokenAccepted},
		schema.Throttled:    {Throttle: true},
		schema.Unauthorized: {Token: schema.TokenRefused},
		schema.Refused:      {Token: schema.TokenAccepted},
		schema.OutOfReach:   {Token: schema.TokenAccepted},
		schema.Cancelled:    {},
	}
	for class, effect := range want {
		if got := class.Effect(); got != effect {
			t.Errorf("class %d: %+v, want %+v", class, got, effect)
		}
	}
}

// TestREADMEFailures: the README's table of failures has each code once, and codes in one line
// have the same class.
func TestREADMEFailures(t *testing.T) {
	readme, err := os.ReadFile("../connector/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(readme), "| code |")
	if table, _, _ = strings.Cut(table, "\n\n"); !found {
		t.Fatal("the README has no table of failures")
	}
	named := map[schema.Code]int{}
	for line := range strings.Lines(table) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cell, _, _ := strings.Cut(line[2:], " |")
		classes := map[schema.Class]bool{}
		for _, code := range regexp.MustCompile("`([a-z_0-9]+)`").FindAllStringSubmatch(cell, -1) {
			named[schema.Code(code[1])]++
			classes[schema.RuleOf(schema.Code(code[1])).Class] = true
		}
		if len(classes) > 1 {
			t.Errorf("one line has codes of several classes: %s", cell)
		}
	}
	for _, rule := range schema.Rules() {
		if named[rule.Code] != 1 {
			t.Errorf("%s is in %d lines of the table, want 1", rule.Code, named[rule.Code])
		}
	}
}
