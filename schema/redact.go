package schema

import (
	"bytes"
	"encoding/base64"
)

// Redact removes secrets from all texts of the letter that may contain text of a
// server, using a function that returns a text without them. It must be called before
// Shorten, because a truncated secret may not be found. Column names are unchanged, as
// records have them, too.
func (l *DeadLetter) Redact(clean func([]byte) []byte) {
	r := redaction{clean: clean}
	e := &l.Error
	for _, text := range []*string{&e.Result, &e.Message, &e.Detail, &e.Body, &l.Request.URL, &l.Request.Body} {
		*text = string(r.bytes([]byte(*text)))
	}
	e.BodyBase64 = r.base64(e.BodyBase64, r.bytes)
	if e.Headers != nil {
		headers := make(map[string]string, len(e.Headers))
		for name, value := range e.Headers {
			headers[name] = string(r.bytes([]byte(value)))
		}
		e.Headers = headers
	}
	if row := l.Row; row != nil {
		row.Raw, row.RawBase64 = r.row(row.Raw, row.RawBase64, row.RawBytes)
	}
	for i := range l.Rows {
		row := &l.Rows[i]
		row.Detail = string(r.bytes([]byte(row.Detail)))
		row.Raw, row.RawBase64 = r.row(row.Raw, row.RawBase64, row.RawBytes)
	}
	l.Redacted = l.Redacted || r.found
}

// redaction removes secrets from texts, and records whether it has found any.
type redaction struct {
	clean func([]byte) []byte
	found bool
}

func (r *redaction) bytes(b []byte) []byte {
	clean := r.clean(b)
	r.found = r.found || !bytes.Equal(clean, b)
	return clean
}

// row redacts the copy of a row of this size. The end of a complete copy is not
// treated as the start of a truncated secret.
func (r *redaction) row(raw, raw64 string, size int64) (string, string) {
	clean := func(b []byte) []byte {
		if int64(len(b)) < size {
			return r.bytes(b)
		}
		return bytes.TrimSuffix(r.bytes(append(b, '\n')), []byte("\n"))
	}
	return string(clean([]byte(raw))), r.base64(raw64, clean)
}

func (r *redaction) base64(text string, clean func([]byte) []byte) string {
	b, err := base64.StdEncoding.DecodeString(text)
	if text == "" || err != nil {
		return text
	}
	return base64.StdEncoding.EncodeToString(clean(b))
}
