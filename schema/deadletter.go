package schema

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"time"
	"unicode/utf8"
)

// DeadLetter is the value of a record of the dead-letter topic: one failed export call, or one
// row that could not be published.
type DeadLetter struct {
	Kind     string    `json:"kind"` // export or row
	Service  string    `json:"service_id"`
	Stream   string    `json:"stream"`
	Day      Day       `json:"day"`
	Export   int       `json:"export"` // counts the day's calls
	FailedAt time.Time `json:"failed_at"`
	Attempt  int       `json:"attempt"`
	Breaker  string    `json:"breaker,omitempty"` // its state when the call was made
	// Redacted means that a secret was removed from the letter: its copies differ from what the
	// server sent.
	Redacted bool `json:"redacted,omitempty"`

	Error   LetterError   `json:"error"`
	Request LetterRequest `json:"request"`
	Row     *LetterRow    `json:"row,omitempty"`
	Rows    []BadExample  `json:"rows,omitempty"` // the first bad rows of an export with too many of them
}

// The kinds of dead letters.
const (
	KindExport = "export"
	KindRow    = "row"
)

// HeaderStage is the record header with the kind of a dead letter, named as in Kafka Connect
// (KIP-298).
const HeaderStage = "__connect.errors.stage"

// LetterError is the failure.
type LetterError struct {
	Code       Code              `json:"code"`
	HTTPStatus int               `json:"http_status,omitempty"`
	Result     string            `json:"result,omitempty"`
	Message    string            `json:"message"`
	Origin     Origin            `json:"origin"`
	Detail     string            `json:"detail"`
	Body       string            `json:"body,omitempty"`
	BodyBase64 string            `json:"body_base64,omitempty"` // instead of Body if that is not UTF-8
	Headers    map[string]string `json:"headers,omitempty"`
	Events     []string          `json:"events,omitempty"` // the requested events, if the day was exported in slices
}

// LetterRequest is the call, without the token.
type LetterRequest struct {
	Method     string    `json:"method"`
	URL        string    `json:"url"`
	Body       string    `json:"body"`
	StartedAt  time.Time `json:"started_at"`
	DurationMs int64     `json:"duration_ms"`
	Bytes      int64     `json:"bytes"`
	Rows       int64     `json:"rows"`
}

// LetterRow is the row as it arrived in the CSV.
type LetterRow struct {
	Line      int      `json:"line"`
	Offset    int64    `json:"offset"`
	Raw       string   `json:"raw,omitempty"`
	RawBase64 string   `json:"raw_base64,omitempty"` // instead of Raw if that is not UTF-8
	RawBytes  int64    `json:"raw_bytes"`
	Columns   []string `json:"columns"`
	// ID is the header "id" that the row would have had. It is empty if the row could not be
	// parsed, and in letters of releases that did not number the copies of rows.
	ID string `json:"id,omitempty"`
}

// BadExample is one of the bad rows of an export with too many of them.
type BadExample struct {
	Code      Code   `json:"code"`
	Detail    string `json:"detail"`
	Line      int    `json:"line"`
	Offset    int64  `json:"offset"`
	Raw       string `json:"raw,omitempty"`
	RawBase64 string `json:"raw_base64,omitempty"` // instead of Raw if that is not UTF-8
	RawBytes  int64  `json:"raw_bytes"`
}

// maxExample limits the copy of each such row, so that ten of them fit into one record.
const maxExample = 1 << 10

// ExportLetter is the dead letter of a failed export call.
func ExportLetter(f *Failure, at time.Time) *DeadLetter {
	l := letter(f.Export, at)
	l.Kind, l.Breaker, l.Request = KindExport, f.Request.Breaker, letterRequest(f.Request)
	l.Error = LetterError{
		Code: f.Code, HTTPStatus: f.Status, Result: f.Result, Message: f.Message, Origin: f.Origin, Detail: f.Detail, Headers: f.Headers,
	}
	l.Error.Body, l.Error.BodyBase64 = text(f.Body)
	l.Redacted = f.Redacted
	if f.Export.Slice {
		l.Error.Events = f.Export.Filter.Events
	}
	for _, b := range f.Examples {
		e := BadExample{Code: b.Code, Detail: b.Detail, Line: b.Line, Offset: b.Offset, RawBytes: b.RawBytes}
		e.Raw, e.RawBase64 = text([]byte(cut(string(b.Raw), maxExample)))
		l.Rows = append(l.Rows, e)
	}
	return l
}

// RowLetter is the dead letter of a row of export e. copyNumber distinguishes it
// from the letters of identical rows.
func RowLetter(e Export, b *BadRow, copyNumber int, r Request, at time.Time) *DeadLetter {
	l := letter(e, at)
	l.Kind, l.Breaker, l.Request = KindRow, r.Breaker, letterRequest(r)
	l.Error = LetterError{Code: b.Code, Message: b.Message, Origin: b.Origin, Detail: b.Detail}
	l.Row = &LetterRow{Line: b.Line, Offset: b.Offset, RawBytes: b.RawBytes}
	l.Row.Raw, l.Row.RawBase64 = text(b.Raw)
	l.Redacted = b.Redacted
	if b.Columns != nil {
		l.Row.Columns = b.Columns.Names
	}
	if b.Fingerprint != nil {
		l.Row.ID = string(AppendID(nil, *b.Fingerprint, copyNumber))
	}
	return l
}

func letter(e Export, at time.Time) *DeadLetter {
	return &DeadLetter{Service: e.Service, Stream: e.Stream, Day: e.Day, Export: e.N, Attempt: e.Attempt, FailedAt: at.UTC().Truncate(time.Millisecond)}
}

func letterRequest(r Request) LetterRequest {
	return LetterRequest{
		Method: r.Method, URL: r.URL, Body: r.Body, StartedAt: r.Started.UTC().Truncate(time.Millisecond),
		DurationMs: r.Duration.Milliseconds(), Bytes: r.Bytes, Rows: r.Rows,
	}
}

// text returns b as a JSON string: unchanged, or in base64 if it is not UTF-8.
func text(b []byte) (plain, encoded string) {
	if utf8.Valid(b) {
		return string(b), ""
	}
	// A copy that was truncated within a character is still text.
	for cut := 1; cut < utf8.UTFMax && len(b) == MaxCopy; cut++ {
		if utf8.Valid(b[:len(b)-cut]) {
			return string(b[:len(b)-cut]), ""
		}
	}
	return "", base64.StdEncoding.EncodeToString(b)
}

// Bytes returns the row as it arrived, or as much of it as the letter has.
func (r *LetterRow) Bytes() []byte {
	if r.RawBase64 != "" {
		b, err := base64.StdEncoding.DecodeString(r.RawBase64)
		if err != nil {
			return nil
		}
		return b
	}
	return []byte(r.Raw)
}

// readable reports whether the letter has everything that is needed to parse its row again.
func (l *DeadLetter) readable() bool {
	return l.Kind == KindRow && l.Row != nil && l.Row.Columns != nil && int64(len(l.Row.Bytes())) == l.Row.RawBytes
}

// FromCopy reports whether a replay reads the row from the letter's copy. Otherwise
// it exports the letter's day again, if that is in the API's reach. A redacted copy
// would be another row. A letter without the row's id does not say which of several
// identical rows it belongs to: its copy is used only if the day can't be exported,
// or if the row could not be parsed at all.
func (l *DeadLetter) FromCopy(inReach bool) bool {
	return l.readable() && !l.Redacted && (l.Row.ID != "" || l.Error.Origin == OriginCSV || !inReach)
}

// JSON is the record's value.
func (l *DeadLetter) JSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(l); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Shorten truncates the letter's copies of bodies and rows to at most n bytes each, and removes
// column names and headers.
func (l *DeadLetter) Shorten(n int) {
	l.Error.Body = cut(l.Error.Body, n)
	l.Error.BodyBase64 = l.Error.BodyBase64[:min(n&^3, len(l.Error.BodyBase64))]
	l.Error.Headers = nil
	l.Request.Body = cut(l.Request.Body, n)
	if l.Row != nil {
		l.Row.Raw = cut(l.Row.Raw, n)
		l.Row.RawBase64 = l.Row.RawBase64[:min(n&^3, len(l.Row.RawBase64))]
		l.Row.Columns = nil
	}
	l.Rows = nil
}

// cut truncates s to at most n bytes of complete characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
