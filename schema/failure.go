package schema

import (
	"fmt"
	"time"
)

// Code identifies a failure: a code of the API, of a bad row, or of a failed export.
type Code string

// The API's codes, from its page "Detailed response".
const (
	ClientConnectionClosed Code = "client_connection_closed"
	InvalidParameter       Code = "invalid_parameter"
	ExceedDateRangeLimit   Code = "exceed_date_range_limit"
	UnauthorizedToken      Code = "unauthorized_token"
	TooManyAPIRequests     Code = "too_many_api_requests"
	UnknownError           Code = "unknown_error"
	QueryError             Code = "query_error"
)

// The codes of exports that failed without a code of the API. An answer without a known code is
// http_STATUS: see HTTPStatus.
const (
	CutBody    Code = "cut_body"
	MaybeTorn  Code = "maybe_torn"
	OpenQuote  Code = "open_quote"
	Connection Code = "connection"
	TLS        Code = "tls"
	Timeout    Code = "timeout"
	NotCSV     Code = "not_csv"
	EmptyBody  Code = "empty_body"
	BadHeader  Code = "bad_header"
	Redirect   Code = "redirect"
	// BadEncoding is a CSV whose text can't be decoded: its charset is unknown, or would change
	// rows that were published, or most rows are invalid in it.
	BadEncoding Code = "bad_encoding"
	// BadRows is a CSV with more bad rows than STREAM_X_MAX_BAD allows.
	BadRows Code = "bad_rows"
)

// The codes of values and their schemas.
const (
	RegistryUnavailable Code = "registry_unavailable"
	SchemaIncompatible  Code = "schema_incompatible"
	SchemaRefused       Code = "schema_refused"
	SchemaUnknown       Code = "schema_unknown"
	RegistryLost        Code = "registry_lost"
	SchemaChanged       Code = "schema_changed"
	// NewColumn is a column that the stream never had and that STREAM_X_CONTRACT=freeze refuses.
	NewColumn Code = "new_columns"
)

// The codes of topics that can't be kept equal to a snapshot.
const (
	SharedTopic   Code = "shared_topic"
	MisplacedKeys Code = "misplaced_keys"
)

// The codes of streams that hide columns.
const (
	// PrivacyColumns is a header that lacks a column to be hidden, and has one that was not
	// seen before, which may be that column under another name.
	PrivacyColumns Code = "privacy_columns"
	// PrivacyKey is a key with which cells have other hashes than the published ones.
	PrivacyKey Code = "privacy_key"
)

// The codes of bad rows.
const (
	FieldCount  Code = "field_count"
	BadQuotes   Code = "bad_quotes"
	InvalidUTF8 Code = "invalid_utf8"
	EmptyKey    Code = "empty_key"
	TooLarge    Code = "too_large"
	BadValue    Code = "bad_value"
	// DuplicateKey is a row of a snapshot with the same key as an earlier row.
	DuplicateKey Code = "duplicate_key"
)

// NoRows reports whether the code is that of an answer without rows, which DFINERY_EMPTY_DAY
// can declare as a day without events.
func (c Code) NoRows() bool { return c == EmptyBody || c == "http_204" || c == "http_404" }

// HTTPStatus is the code of an answer without a known code.
func HTTPStatus(status int) Code { return Code(fmt.Sprintf("http_%03d", status)) }

// Origin is who found the failure.
type Origin string

// The origins of failures.
const (
	OriginAPI       Origin = "api"
	OriginTransport Origin = "transport"
	OriginCSV       Origin = "csv"
	OriginSchema    Origin = "schema"
	OriginKafka     Origin = "kafka"
)

// Class groups failed exports by their consequences. The source's classifier sets it; the
// pipeline acts on it.
type Class int

// The classes of failures.
const (
	// Trouble: the connection or a proxy fails; the whole service backs off, and makes one call
	// at a time until one succeeds.
	Trouble Class = iota
	// Outage: the API's database fails; the breaker counts it, and the day has its own backoff.
	Outage
	// Throttled: the quota is used up; all streams wait for its reset.
	Throttled
	// Unauthorized: the token is refused; all streams wait for another one.
	Unauthorized
	// Refused: this stream's request or header is wrong; the stream is halted.
	Refused
	// Truncated: the answer is complete according to HTTP, but its content shows a cut; only
	// the day backs off, and the rows before the cut are published.
	Truncated
	// OutOfReach: the API no longer, or not yet, exports this day.
	OutOfReach
	// Postponed: something other than the API that the export needs is unavailable; its day
	// waits. No dead letter, no state change.
	Postponed
	// Cancelled: the connector ended the call itself, at shutdown or when ownership was lost.
	// No dead letter, no state change.
	Cancelled
)

// Cut is the kind of cut that the content of an answer shows.
type Cut string

// The cuts.
const (
	NoNewline    Cut = "no_newline"     // the last line does not end in a newline
	TooFewFields Cut = "too_few_fields" // the last line has fewer fields than the header
	UnclosedCell Cut = "unclosed_cell"  // a quote is not closed by the end of the body, or within the limit of a row's size
)

// Failure is a failed export call with its error context. It never contains the token.
type Failure struct {
	Code    Code
	Class   Class
	Origin  Origin
	Export  Export
	Status  int    // HTTP status; 0 without an answer
	Result  string // of the API's answer: "fail"
	Message string // of the API's answer, else the transport's error
	Detail  string // a sentence that says what was attempted, what happened and what to do

	Cut     Cut               // of a Truncated failure
	CutAt   string            // position of the cut: equal for answers that are cut in the same place
	Headers map[string]string // of the answer, lower-case names
	Body    []byte            // of the answer, at most MaxCopy bytes

	RetryAfter time.Duration // of the answer; 0 without
	Date       time.Time     // the answer's Date; zero without one

	// Empty means that the answer could mean a day without events, but Export.MayBeEmpty did
	// not allow that.
	Empty bool

	// Examples are the first bad rows of an export with too many of them.
	Examples []*BadRow

	// Redacted means that a secret was removed from the texts above.
	Redacted bool

	Request Request
	Err     error // the transport's error, for errors.Is and errors.As; nil when the API answered
}

// Request is the request of a call, and its progress.
type Request struct {
	Method   string
	URL      string
	Body     string
	Started  time.Time
	Duration time.Duration
	Bytes    int64 // of the answer's body that arrived, decompressed
	Rows     int64 // returned before it failed
	// RepeatedHeaders is how many rows were skipped because they repeat the header line. It is
	// set when the body has ended.
	RepeatedHeaders int64
	Breaker         string // its state when the call was made: closed, half-open; empty without a breaker
}

// Failure returns a failure of the export with the class and the advice of its code.
func (e Export) Failure(code Code, origin Origin, what string) *Failure {
	rule := RuleOf(code)
	return &Failure{Code: code, Class: rule.Class, Origin: origin, Export: e, Message: what, Detail: e.String() + ": " + what + "; " + rule.Advice}
}

func (f *Failure) Error() string { return fmt.Sprintf("%s: %s", f.Code, f.Detail) }

// Unwrap returns the transport's error.
func (f *Failure) Unwrap() error { return f.Err }
