package schema_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"dfinery-kafka/schema"
)

// TestRedact: a secret is removed from all texts of a letter, and the letter says that it was
// redacted.
func TestRedact(t *testing.T) {
	clean := func(b []byte) []byte {
		b = bytes.ReplaceAll(b, []byte("sesame"), []byte("[redacted]"))
		if cut, ok := bytes.CutSuffix(b, []byte("sesa")); ok {
			return append(cut, "[redacted]"...)
		}
		return b
	}
	columns, err := schema.NewColumns([]string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	failure := func(change func(*schema.Failure)) *schema.DeadLetter {
		f := &schema.Failure{Code: schema.UnknownError, Headers: map[string]string{"server": "x"}, Body: []byte("body")}
		change(f)
		return schema.ExportLetter(f, time.Time{})
	}
	row := func(raw string) *schema.DeadLetter {
		b := &schema.BadRow{Code: schema.EmptyKey, Raw: schema.Copy([]byte(raw)), RawBytes: int64(len(raw)), Columns: columns}
		return schema.RowLetter(schema.Export{}, b, 0, schema.Request{}, time.Time{})
	}
	long := strings.Repeat("x", schema.MaxCopy-4)
	tests := map[string]struct {
		letter   *schema.DeadLetter
		redacted bool
		raw      string
	}{
		"nothing":              {row("1,2"), false, "1,2"},
		"a cell":               {row("1,sesame"), true, "1,[redacted]"},
		"an end that is whole": {row("1,sesa"), false, "1,sesa"},
		"an end that was cut":  {row(long + "sesame"), true, long + "[redacted]"},
		"no UTF-8":             {row("1,sesame\xff"), true, "1,[redacted]\xff"},
		"body":                 {failure(func(f *schema.Failure) { f.Body = []byte("no sesame") }), true, ""},
		"body, no UTF-8":       {failure(func(f *schema.Failure) { f.Body = []byte("no sesame\xff") }), true, ""},
		"message":              {failure(func(f *schema.Failure) { f.Message = "no sesame" }), true, ""},
		"detail":               {failure(func(f *schema.Failure) { f.Detail = "no sesame" }), true, ""},
		"headers":              {failure(func(f *schema.Failure) { f.Headers["x"] = "sesame" }), true, ""},
		"address":              {failure(func(f *schema.Failure) { f.Request.URL = "http://x/?t=sesame" }), true, ""},
		"a bad row's example": {failure(func(f *schema.Failure) {
			f.Examples = []*schema.BadRow{{Raw: []byte("fine"), RawBytes: 4}, {Detail: "no sesame", Raw: []byte("1,sesame"), RawBytes: 8}}
		}), true, ""},
		"a long example": {failure(func(f *schema.Failure) {
			f.Examples = []*schema.BadRow{{Raw: []byte(strings.Repeat("x", 1<<10-4) + "sesame"), RawBytes: 1<<10 + 2}}
		}), true, ""},
		"redacted before": {failure(func(f *schema.Failure) { f.Redacted = true }), true, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.letter.Redact(clean)
			text, err := test.letter.JSON()
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(text, []byte("sesame")) || bytes.Contains(text, []byte("c2VzYW1l")) {
				t.Errorf("the letter has the secret: %.300s", text)
			}
			if test.letter.Redacted != test.redacted || bytes.Contains(text, []byte(`"redacted":true`)) != test.redacted {
				t.Errorf("redacted: %v, want %v: %.300s", test.letter.Redacted, test.redacted, text)
			}
			if r := test.letter.Row; r != nil && string(r.Bytes()) != test.raw {
				t.Errorf("the row is %.100q, want %.100q", r.Bytes(), test.raw)
			}
			if test.redacted && test.letter.FromCopy(false) {
				t.Error("a redacted letter is replayed from its copy")
			}
		})
	}
}
