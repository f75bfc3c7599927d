package exportapi

import (
	"bytes"
	"fmt"
	"io"
	"net/http"

	"dfinery-kafka/connector/charset"
	"dfinery-kafka/connector/csv"
	"dfinery-kafka/schema"
)

const (
	maxAnswer     = 1 << 20 // how much of a failure's body is read
	maxEmptyReads = 100     // consecutive reads that return neither bytes nor an error
	bom           = "\ufeff"
)

// parseResponse distinguishes rows from a failure by the status, the content type and the first
// bytes, and reads the header line.
func (k *call) parseResponse(response *http.Response) (*Body, error) {
	src, coding := k.contentCoding(&idleTimeoutReader{src: response.Body, k: k}, response.Header)
	src = &counter{src: src, n: &k.request.Bytes}
	declared := response.Header.Get("Content-Type")
	lead, err := readMark(src, charset.Marks()...)
	src = k.text(&prefixedReader{lead, src, err}, lead, declared)

	lead, first, err := peek(src)
	kind := contentType(declared)
	isHTML, isJSON := first == '<' || isHTMLType(kind), first == '{' || isJSONType(kind)
	if response.StatusCode == http.StatusOK && first != '<' && first != '{' && (isHTML || isJSON || coding != nil) {
		if lead, err = firstLine(src, lead, err); k.hasKeyColumns(lead) {
			isHTML, isJSON = false, false
			if coding != nil {
				k.warnUncompressed(coding.declared)
				coding = nil
			}
		}
	}
	src = &prefixedReader{lead, src, err}
	switch {
	case response.StatusCode != http.StatusOK || isHTML || isJSON || coding != nil:
		return k.orEmptyDay(k.refusal(src, isHTML, coding))
	case err == io.EOF && first == 0:
		return k.orEmptyDay(k.fail(cause{code: schema.EmptyBody, origin: schema.OriginTransport, happened: "the answer is empty", ours: true}))
	case err != nil && err != io.EOF && first == 0:
		return nil, k.torn(err, lead)
	case k.unknownCharset != "":
		return nil, k.badEncoding(fmt.Sprintf("the content type declares the charset %q, which is not supported", shortened(k.unknownCharset, maxMessage/4)))
	case first < ' ':
		return nil, k.fail(cause{code: schema.NotCSV, origin: schema.OriginTransport, happened: "the answer is not text", ours: true, body: lead})
	}
	return k.rows(src, declared)
}

// rows reads the header line of a CSV.
func (k *call) rows(src io.Reader, declared string) (*Body, error) {
	reader := csv.NewReader(src, csv.Options{MaxRow: k.client.MaxRow, CleanName: k.redact.name, RecoverQuotes: k.client.RecoverQuotes})
	body := &Body{call: k, reader: reader, matcher: k.lineEnds.watch(k.export)}
	if err := body.readHeader(); err != nil {
		return nil, err
	}
	if k.charsetWarning != "" {
		k.warn("charset", k.charsetWarning, charsetLabel(declared), checkText)
	}
	if !isTextType(contentType(declared)) {
		k.warn("content type", "the answer is a CSV although its content type says otherwise: its first line has the stream's key", declared, fixServer)
	}
	k.timer.Stop()
	k.phase.Store(phaseBody)
	return body, nil
}

// peek reads up to the first byte that is not white space. first is 0 if there is none before
// the end or within 4 KiB.
func peek(src io.Reader) (lead []byte, first byte, err error) {
	buf := make([]byte, 4<<10)
	n := 0
	for empty := 0; n < len(buf) && err == nil && first == 0 && empty < maxEmptyReads; empty++ {
		var more int
		more, err = src.Read(buf[n:])
		n += more
		if more > 0 {
			empty = 0
		}
		text := buf[:n]
		if len(text) < len(bom) && bytes.HasPrefix([]byte(bom), text) && err == nil {
			continue
		}
		if text = bytes.TrimLeft(bytes.TrimPrefix(text, []byte(bom)), " \t\r\n"); len(text) > 0 {
			first = text[0]
			if first == 0 {
				first = 1 // any byte that is not text, but not 0
			}
		}
	}
	return buf[:n], first, err
}

// refusal makes a failure of an answer without rows. coding is why its body can't be decoded;
// nil if it can.
func (k *call) refusal(src io.Reader, isHTML bool, coding *codingError) *schema.Failure {
	k.phase.Store(phaseRefusal)
	k.timer.Reset(min(k.header, k.idle))
	body, err := io.ReadAll(io.LimitReader(src, maxAnswer))
	if err != nil && k.cancelled() {
		return k.torn(err, body)
	}
	c := cause{origin: schema.OriginTransport, body: body, happened: fmt.Sprintf("the answer was %s", k.statusText), ours: true}
	api, _, isAPI := parseFailure(body)
	if isAPI {
		c.origin, c.result, c.message, c.ours = schema.OriginAPI, api.Result, api.Message, false
		c.happened = fmt.Sprintf("the API answered %s, %q", k.statusText, shortened(api.Message, maxMessage/4))
	}
	empty := len(bytes.TrimSpace(body)) == 0
	switch {
	case isAPI && knownToAPI(api.Message):
		c.code = schema.Code(api.Message)
	case isHTML && !isAPI:
		c.code, c.happened = schema.NotCSV, c.happened+" with an HTML page"
	case k.status != http.StatusOK:
		c.code = schema.HTTPStatus(k.status)
	case coding != nil:
		c.code = schema.NotCSV
	case err != nil:
		return k.torn(err, body)
	case empty:
		c.code, c.happened = schema.EmptyBody, "the answer is empty"
	default:
		c.code, c.happened = schema.NotCSV, c.happened+" without rows and without a known code"
	}
	if coding != nil {
		c.err, c.happened, c.ours = coding, c.happened+": "+coding.Error(), false
	}
	if c.message == "" && c.err == nil {
		c.message = k.statusText
	}
	return k.fail(c)
}

// prefixedReader returns the bytes that were read ahead, and then the rest of src, with the
// error of reading ahead.
type prefixedReader struct {
	lead []byte
	src  io.Reader
	err  error
}

func (r *prefixedReader) Read(b []byte) (int, error) {
	if len(r.lead) > 0 {
		n := copy(b, r.lead)
		r.lead = r.lead[n:]
		return n, nil
	}
	if r.err != nil {
		return 0, r.err
	}
	return r.src.Read(b)
}
