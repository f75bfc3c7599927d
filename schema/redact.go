package schema

import (
	"bytes"
	"encoding/base64"
)

// Redact takes secrets out of all texts of the letter that a server may have had a
// part in, by a function that returns a text without them. It comes before the
// letter is cut to size, for a secret that is cut may not be found. Column names
// stay: records have them, too.
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
		clean := r.bytes
		if l.Readable() {
			clean = r.line
		}
		row.Raw = string(clean([]byte(row.Raw)))
		row.RawBase64 = r.base64(row.RawBase64, clean)
	}
	l.Redacted = l.Redacted || r.found
}

// redaction takes secrets out of texts, and knows whether it has found any.
type redaction struct {
	clean func([]byte) []byte
	found bool
}

func (r *redaction) bytes(b []byte) []byte {
	clean := r.clean(b)
	r.found = r.found || !bytes.Equal(clean, b)
	return clean
}

// line is a text that was not cut: its end is not taken for a secret's beginning.
func (r *redaction) line(b []byte) []byte {
	return bytes.TrimSuffix(r.bytes(append(b, '\n')), []byte("\n"))
}

func (r *redaction) base64(text string, clean func([]byte) []byte) string {
	b, err := base64.StdEncoding.DecodeString(text)
	if text == "" || err != nil {
		return text
	}
	return base64.StdEncoding.EncodeToString(clean(b))
}
