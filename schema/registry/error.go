package registry

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/twmb/franz-go/pkg/sr"

	"dfinery-kafka/schema"
)

// Error reports a failed call of the registry.
type Error struct {
	Wait   bool        // temporary: wait and try again
	Code   schema.Code // of a definite refusal, which halts the stream; empty with Wait
	Status int         // of the answer; 0 without one
	Detail string      // what was attempted and what came back
	Err    error
}

func (e *Error) Error() string {
	text := "schema registry: " + e.Detail
	if e.Code != "" {
		text = string(e.Code) + ": " + text
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Error codes of Confluent's API ("Schema Registry API Reference", Errors).
const (
	subjectNotFound = 40401
	schemaNotFound  = 40403
)

// definite reports whether a retry would get the same answer.
func definite(err error) bool { return codeOf(err) != "" }

func codeOf(err error) schema.Code {
	answer, ok := errors.AsType[*sr.ResponseError](err)
	if !ok {
		return ""
	}
	switch {
	case answer.StatusCode == http.StatusConflict:
		return schema.SchemaIncompatible
	case answer.StatusCode == http.StatusUnprocessableEntity:
		return schema.SchemaRefused
	case answer.StatusCode == http.StatusNotFound && (answer.ErrorCode == subjectNotFound || answer.ErrorCode == schemaNotFound):
		return schema.SchemaUnknown
	}
	return ""
}

// unauthorized reports whether the registry has refused the credentials.
func unauthorized(err error) bool {
	answer, ok := errors.AsType[*sr.ResponseError](err)
	return ok && (answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden)
}

// maxMessage limits how much of a registry's answer is shown.
const maxMessage = 500

// classify converts the error of a call to an *Error. It never contains the
// credentials, even if the registry or a proxy sends them back.
func (c *Client) classify(err error, doing string) error {
	e := &Error{Code: codeOf(err), Err: err}
	e.Wait = e.Code == ""
	answer, ok := errors.AsType[*sr.ResponseError](err)
	if !ok {
		e.Detail = doing + ": " + c.clean(err.Error())
		return e
	}
	e.Status = answer.StatusCode
	message := c.clean(answer.Error())
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + "…"
	}
	e.Detail = fmt.Sprintf("%s: HTTP %d: %s", doing, answer.StatusCode, message)
	if unauthorized(err) {
		e.Detail += "; check SCHEMA_REGISTRY_USERNAME, _PASSWORD or _TOKEN and the rights of the user on the subject"
	}
	return e
}
