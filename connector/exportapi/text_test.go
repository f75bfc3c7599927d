package exportapi_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/charset"
	"dfinery-kafka/connector/exportapi"
	"dfinery-kafka/schema"
)

// TestText: the charset in which a stream's earlier rows were read decides whether a declared
// charset is used.
func TestText(t *testing.T) {
	const (
		korean    = "id,v\na,ascii\n구,b\n" // in UTF-8
		inKR      = "id,v\na,ascii\n\xb1\xb8,b\n"
		both      = "id,v\na,ascii\n\xc8\xb8,b\n" // 회 in EUC-KR, and valid UTF-8
		latin     = "id,v\na,ascii\ncaf\xe9,b\n"
		byDefault = "the answer declares a charset that many servers declare by default"
	)
	row := func(cell string) []string { return []string{"a,ascii", cell + ",b"} }
	for _, c := range []struct {
		name     string
		kind     string
		before   string // of the stream
		override string // DFINERY_CHARSET
		body     string
		rows     []string
		bad      []schema.Code
		warning  string
		remember string
		refused  string // the detail of bad_encoding
	}{
		{name: "nothing declared", body: korean, rows: row("구"), remember: "utf-8"},
		{name: "nothing declared, and rows before", before: "utf-8", body: korean, rows: row("구")},
		{name: "utf-8", kind: "text/csv; charset=UTF8", body: korean, rows: row("구"), remember: "utf-8"},
		{name: "a mark", kind: "text/csv; charset=euc-kr", body: "\ufeff" + korean, rows: row("구"), warning: "the answer's byte order mark and its content type name different charsets"},
		{name: "us-ascii", kind: "text/csv; charset=us-ascii", body: korean, rows: row("구"), remember: "utf-8"},
		{name: "no value", kind: "text/csv; charset=", body: korean, rows: row("구"), remember: "utf-8"},

		{name: "euc-kr of a new stream", kind: "text/csv; charset=euc-kr", body: inKR, rows: row("구"), remember: "euc-kr"},
		{name: "twice", kind: "text/csv; charset=euc-kr; charset=euc-kr", body: inKR, rows: row("구"), remember: "euc-kr"},
		{name: "without a type", kind: "charset=euc-kr", body: inKR, rows: row("구"), remember: "euc-kr"},
		{name: "euc-kr of a stream that had it", kind: "text/csv; charset=euc-kr", before: "euc-kr", body: both, rows: row("회")},
		{name: "euc-kr of a stream of ascii", kind: "text/csv; charset=euc-kr", before: "us-ascii", body: inKR, rows: row("구"), remember: "euc-kr"},
		{name: "euc-kr of a stream that had utf-8", kind: "text/csv; charset=euc-kr", before: "utf-8", body: inKR, rows: row("구")},
		{name: "euc-kr that would be other text", kind: "text/csv; charset=euc-kr", before: "utf-8", body: both, rows: row("")[:1], refused: "valid UTF-8 at byte 13"},
		{name: "utf-8 that is declared as euc-kr", kind: "text/csv; charset=euc-kr", before: "utf-8", body: korean, rows: row("")[:1], refused: "the content type declares euc-kr, but the stream's rows were published as UTF-8"},
		{name: "a header in utf-8 that is declared as euc-kr", kind: "text/csv; charset=euc-kr", before: "utf-8", body: "id,구\n1,2\n", refused: "valid UTF-8 at byte 0"},

		{name: "latin-1 over utf-8", kind: "text/csv; charset=iso-8859-1", body: korean, rows: row("구"), warning: byDefault, remember: "utf-8"},
		{name: "latin-1 over utf-8, and rows before", kind: "text/csv; charset=iso-8859-1", before: "utf-8", body: korean, rows: row("구"), warning: byDefault},
		{name: "latin-1 that is none, and rows before", kind: "text/csv; charset=iso-8859-1", before: "utf-8", body: latin, rows: row("")[:1], bad: []schema.Code{schema.InvalidUTF8}, warning: byDefault},
		{name: "latin-1", kind: "text/csv; charset=iso-8859-1", body: latin, rows: row("café"), warning: byDefault, remember: "windows-1252"},
		{name: "latin-1 after latin-1", kind: "text/csv; charset=iso-8859-1", before: "windows-1252", body: latin, rows: row("café"), warning: byDefault},
		{name: "latin-1 over ascii", kind: "text/csv; charset=iso-8859-1", body: "id,v\na,ascii\n", rows: row("")[:1], warning: byDefault, remember: "us-ascii"},

		{name: "what does not exist", kind: "text/csv; charset=klingon", body: korean, refused: `the content type declares the charset "klingon", which is not supported`},
		{name: "what does not exist, with a mark", kind: "text/csv; charset=klingon", body: "\ufeff" + korean, rows: row("구"), warning: "the answer's byte order mark and its content type name different charsets"},

		{name: "overridden", kind: "text/csv; charset=euc-kr", before: "utf-8", override: "utf-8", body: korean, rows: row("구"), remember: "utf-8"},
		{name: "overridden to euc-kr", kind: "text/csv; charset=utf-8", before: "utf-8", override: "cp949", body: both, rows: row("회"), remember: "euc-kr"},
		{name: "overridden what does not exist", kind: "text/csv; charset=klingon", override: "utf-8", body: korean, rows: row("구"), remember: "utf-8"},
		{name: "overridden to latin-1", override: "latin1", body: latin, rows: row("café"), remember: "windows-1252"},
	} {
		t.Run(c.name, func(t *testing.T) {
			api, log := answering(http.StatusOK, http.Header{"Content-Type": {c.kind}}, c.body)
			if c.override != "" {
				override, err := charset.Parse(c.override)
				if err != nil {
					t.Fatal(err)
				}
				api.Charset = &override
			}
			e := export(t)
			e.Charset = c.before
			for range 2 {
				got, remember := runText(t, api, e)
				if f := got.Failure; c.refused != "" && (f == nil || f.Code != schema.BadEncoding || f.Class != schema.Refused || !strings.Contains(f.Detail, c.refused) ||
					!strings.Contains(f.Detail, "set DFINERY_CHARSET")) {
					t.Errorf("%+v", f)
				} else if c.refused == "" && f != nil {
					t.Errorf("%+v", f)
				}
				if diff := cmp.Diff(c.rows, got.Rows); diff != "" {
					t.Error(diff)
				}
				if diff := cmp.Diff(c.bad, got.Bad); diff != "" {
					t.Error(diff)
				}
				if c.refused == "" && remember != c.remember && c.warning == "" || c.remember != "" && remember != c.remember {
					t.Errorf("the charset to remember is %q, want %q", remember, c.remember)
				}
			}
			want := map[string]int{}
			if c.warning != "" {
				want[c.warning] = 1
			}
			if diff := cmp.Diff(want, warnings(log)); diff != "" {
				t.Errorf("warnings of two calls: %s", diff)
			}
		})
	}
}

// TestText_Failures: answers that are failures are classified the same with any declared charset.
func TestText_Failures(t *testing.T) {
	for kind, body := range map[string]string{
		"application/json; charset=klingon": `{"result":"fail","message":"query_error"}`,
		"application/json; charset=euc-kr":  `{"result":"fail","message":"query_error"}`,
		"application/json; charset=utf-16":  "\xff\xfe" + strings.Join(strings.Split(`{"result":"fail","message":"query_error"}`, ""), "\x00") + "\x00",
	} {
		api, _ := answering(http.StatusOK, http.Header{"Content-Type": {kind}}, body)
		if got := run(t, api, export(t)).Failure; got == nil || got.Code != schema.QueryError || got.Message != "query_error" {
			t.Errorf("%s: %+v", kind, got)
		}
	}
}

// runText makes one call, reads its body to the end, and returns the charset to remember.
func runText(t *testing.T, c *exportapi.Client, e schema.Export) (o outcome, remember string) {
	t.Helper()
	body, err := c.Export(t.Context(), e)
	if err != nil {
		errors.As(err, &o.Failure)
		return o, ""
	}
	defer body.Close()
	for {
		row, err := body.Next()
		bad, isBad := errors.AsType[*schema.BadRow](err)
		switch {
		case err == nil:
			o.Rows = append(o.Rows, string(row.Raw))
		case isBad:
			o.Bad = append(o.Bad, bad.Code)
		default:
			errors.As(err, &o.Failure)
			return o, body.Charset()
		}
	}
}
