package exportapi

import (
	"fmt"
	"io"
	"mime"
	"strings"

	"dfinery-kafka/connector/charset"
	"dfinery-kafka/schema"
)

// checkText is the advice about a wrongly declared charset.
const checkText = "nothing if the rows in Kafka look right; otherwise set DFINERY_CHARSET to the charset that the API really sends"

// text converts a body that starts with lead to UTF-8. Its charset is determined, in this
// order, by DFINERY_CHARSET, a byte order mark, and the content type. UTF-8 is returned
// unchanged.
func (k *call) text(src io.Reader, lead []byte, contentType string) io.Reader {
	c, policy := k.charset(lead, contentType)
	if c.IsUTF8() {
		return src
	}
	k.decoder = charset.NewReader(src, c, policy)
	return k.decoder
}

// charset decides the charset of the body, and how to decode it.
func (k *call) charset(lead []byte, contentType string) (charset.Charset, charset.Policy) {
	if k.client.Charset != nil {
		return *k.client.Charset, charset.Decode
	}
	label := charsetLabel(contentType)
	declared, err := charset.Parse(label)
	if marked, ok := charset.FromMark(lead); ok {
		if label != "" && (err != nil || !compatible(marked, declared)) {
			k.charsetWarning = "the answer's byte order mark and its content type name different charsets: the mark is used"
		}
		return marked, charset.Decode
	}
	if label == "" {
		return charset.Charset{}, charset.Decode
	}
	if err != nil {
		k.unknownCharset = label
		return charset.Charset{}, charset.Decode
	}
	return k.declaredCharset(declared)
}

// compatible reports whether the declared charset may start with the mark.
func compatible(marked, declared charset.Charset) bool {
	return marked.IsUTF8() && declared.IsUTF8() || marked.Wide() && strings.HasPrefix(marked.Name(), declared.Name())
}

// declaredCharset decides how far to trust the declared charset, depending on the charset of
// the stream's rows so far. Rows that are already in Kafka must not be published again as
// different text.
func (k *call) declaredCharset(c charset.Charset) (charset.Charset, charset.Policy) {
	before := k.export.Charset
	fresh := before == "" || before == schema.ASCII
	switch {
	case c.IsUTF8() || c.Wide():
		return c, charset.Decode
	case c.SingleByte():
		k.charsetWarning = "the answer declares a charset that many servers declare by default: valid UTF-8 is read as UTF-8"
		switch {
		case before == c.Name():
			return c, charset.Prefer
		case fresh:
			return c, charset.Detect
		}
		return charset.Charset{}, charset.Decode
	case fresh || before == c.Name():
		return c, charset.Decode
	}
	return c, charset.Guard
}

// charsetLabel is the charset parameter of a content type, also of a malformed one; empty
// without one.
func charsetLabel(contentType string) string {
	if _, parameters, err := mime.ParseMediaType(contentType); err == nil {
		return strings.TrimSpace(parameters["charset"])
	}
	_, label, _ := strings.Cut(strings.ToLower(contentType), "charset=")
	label, _, _ = strings.Cut(label, ";")
	return strings.Trim(label, " \t\"'")
}

// Charset is what to store about the charset of the stream's rows read so far; empty if nothing
// has changed.
func (b *Body) Charset() string {
	k := b.call
	fresh := k.export.Charset == "" || k.export.Charset == schema.ASCII
	switch {
	case len(b.columns.Names) == 0: // a day without events proves nothing
		return ""
	case k.client.Charset != nil:
		return k.client.Charset.Name()
	case k.decoder != nil && fresh:
		return k.decoder.Charset()
	case fresh:
		return schema.UTF8
	}
	return ""
}

// badEncoding is the failure of an answer whose text can't be decoded.
func (k *call) badEncoding(happened string) *schema.Failure {
	return k.fail(cause{code: schema.BadEncoding, origin: schema.OriginCSV, message: happened, happened: happened})
}

// conflict is the failure of an answer whose declared charset would decode rows that the stream
// has published to different text.
func (k *call) conflict(err *charset.ConflictError) *schema.Failure {
	happened := fmt.Sprintf("the content type declares %s, but the stream's rows were published as UTF-8, and the body is valid UTF-8 at byte %d",
		err.Charset.Name(), err.Offset)
	return k.fail(cause{code: schema.BadEncoding, origin: schema.OriginCSV, message: happened, happened: happened, ours: true})
}
