package schema_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/schema"
)

var (
	letterAt     = time.Date(2026, 11, 23, 10, 2, 3, 4_999_999, time.FixedZone("KST", 9*3600))
	letterExport = schema.Export{Service: "1234", Stream: "events", Kind: schema.Event, Key: "df_unified_id", Day: 20779, N: 3, Attempt: 2}
	letterAsked  = schema.Request{
		Method: "POST", URL: "https://openapi.dfinery.ai/api/v1/export/event?service_id=1234", Body: `{"from_date":"2026-11-22"}`,
		Started: letterAt.Add(-812 * time.Millisecond), Duration: 812_900 * time.Microsecond, Bytes: 46, Rows: 7, Breaker: "closed",
	}
)

func letters(t *testing.T) map[string]*schema.DeadLetter {
	t.Helper()
	failure := func(change func(*schema.Failure)) *schema.DeadLetter {
		f := &schema.Failure{
			Code: schema.QueryError, Class: schema.Outage, Origin: schema.OriginAPI, Export: letterExport, Status: 500, Result: "fail", Message: "query_error",
			Detail:  "export events 2026-11-22: the API's query failed",
			Headers: map[string]string{"date": "Mon, 23 Nov 2026 01:02:03 GMT", "content-type": "application/json"},
			Body:    []byte(`{"result":"fail","message":"query_error"}`), Request: letterAsked,
			RetryAfter: time.Minute, Date: letterAt, Err: errors.New("never shown"),
		}
		change(f)
		return schema.ExportLetter(f, letterAt)
	}
	row := func(raw string, columns ...string) *schema.DeadLetter {
		r := schema.Row{Line: 17, Offset: 6021, Raw: []byte(raw)}
		if columns != nil {
			var err error
			if r.Columns, err = schema.NewColumns(columns); err != nil {
				t.Fatal(err)
			}
		}
		return schema.RowLetter(letterExport, r.Bad(schema.FieldCount, schema.OriginCSV, "wrong number of fields", "38 fields, the header has 40"), 0, letterAsked, letterAt)
	}
	return map[string]*schema.DeadLetter{
		"export": failure(func(*schema.Failure) {}),
		"export-no-answer": failure(func(f *schema.Failure) {
			f.Code, f.Origin, f.Status, f.Result, f.Message, f.Headers, f.Body = schema.Connection, schema.OriginTransport, 0, "", "connection refused", nil, nil
		}),
		"export-binary": failure(func(f *schema.Failure) { f.Code, f.Body = schema.NotCSV, []byte{0x1f, 0x8b, 0x00, 0xff} }),
		"export-html":   failure(func(f *schema.Failure) { f.Code, f.Body = schema.NotCSV, []byte("<html>&\u2028") }),
		"export-slice": failure(func(f *schema.Failure) {
			f.Export.Slice, f.Export.Filter.Events = true, []string{"df_purchase", "df_login"}
		}),
		"row":            row("a,b,\"c\"", "df_unified_id", "b"),
		"row-no-columns": row("a,b"),
		"row-binary":     row("a,\xff\xfe", "df_unified_id"),
	}
}

func TestDeadLetters(t *testing.T) {
	for name, letter := range letters(t) {
		t.Run(name, func(t *testing.T) {
			value, err := letter.JSON()
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+".json", append(value, '\n'))
			var again schema.DeadLetter
			if err := json.Unmarshal(value, &again); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(*letter, again); diff != "" {
				t.Errorf("read back (-written +read):\n%s", diff)
			}
		})
	}
}

// TestCopiesAreCut: copies are truncated to MaxCopy. One that is truncated within a character
// remains text.
func TestCopiesAreCut(t *testing.T) {
	filler := strings.Repeat("x", schema.MaxCopy-2)
	tests := map[string]struct {
		raw                string
		wantRaw, wantBinar string
	}{
		"fits":                   {filler + "é", filler + "é", ""},
		"too long":               {filler + "abc", filler + "ab", ""},
		"cut inside a character": {filler + "가", filler, ""},
		"cut inside a wider one": {filler[1:] + "🛍", filler[1:], ""},
		"short and not UTF-8":    {"\xff", "", "/w=="},
		"broken before the cut":  {"\xff" + filler + "abc", "", base64Of("\xff" + filler + "a")},
		"ends in half, is whole": {"ab\xea\xb0", "", base64Of("ab\xea\xb0")},
		"nothing":                {"", "", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			row := schema.Row{Raw: []byte(test.raw)}
			bad := row.Bad(schema.InvalidUTF8, schema.OriginCSV, "", "")
			letter := schema.RowLetter(letterExport, bad, 0, letterAsked, letterAt)
			want := schema.LetterRow{Raw: test.wantRaw, RawBase64: test.wantBinar, RawBytes: int64(len(test.raw))}
			if diff := cmp.Diff(want, *letter.Row); diff != "" {
				t.Errorf("row (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(schema.BadFingerprint([]byte(test.raw)), bad.Hash); diff != "" {
				t.Error("the hash is not that of the whole row")
			}
		})
	}
}

func base64Of(s string) string {
	b, _ := json.Marshal([]byte(s))
	return string(bytes.Trim(b, `"`))
}

// TestShorten: a letter that is shortened to any length still has text or base64 of the beginning.
func TestShorten(t *testing.T) {
	for n := range 12 {
		text := schema.DeadLetter{Row: &schema.LetterRow{Raw: "a가나", Columns: []string{"x"}}}
		text.Error.Body, text.Error.Headers, text.Request.Body = "a가나", map[string]string{"a": "b"}, "a가나"
		binary := schema.DeadLetter{Row: &schema.LetterRow{RawBase64: base64Of("\xff\xfe\xfd\xfc")}}
		binary.Error.BodyBase64 = base64Of("\xff\xfe\xfd\xfc")
		text.Shorten(n)
		binary.Shorten(n)
		want := []string{"", "a", "a", "a", "a가", "a가", "a가", "a가나"}[min(n, 7)]
		if diff := cmp.Diff([]string{want, want, want}, []string{text.Error.Body, text.Request.Body, text.Row.Raw}); diff != "" {
			t.Errorf("to %d bytes (-want +got):\n%s", n, diff)
		}
		if text.Error.Headers != nil || text.Row.Columns != nil {
			t.Errorf("to %d bytes: headers %v, columns %v are left", n, text.Error.Headers, text.Row.Columns)
		}
		want = base64Of("\xff\xfe\xfd\xfc")[:min(n&^3, 8)]
		if diff := cmp.Diff([]string{want, want}, []string{binary.Error.BodyBase64, binary.Row.RawBase64}); diff != "" {
			t.Errorf("to %d bytes (-want +got):\n%s", n, diff)
		}
		var again schema.DeadLetter
		value, err := text.JSON()
		if err == nil {
			err = json.Unmarshal(value, &again)
		}
		if diff := cmp.Diff(text, again); diff != "" || err != nil {
			t.Errorf("to %d bytes, read back: %v\n%s", n, err, diff)
		}
	}
	short := schema.DeadLetter{}
	short.Shorten(0) // without a row
}
