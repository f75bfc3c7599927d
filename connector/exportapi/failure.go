package exportapi

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"dfinery-kafka/connector/charset"
	"dfinery-kafka/schema"
)

const (
	maxMessage = 1 << 10
	maxHeader  = 256 // bytes of a header's value
)

// cause describes a failure, in addition to its call.
type cause struct {
	code            schema.Code
	origin          schema.Origin
	result, message string
	happened        string // a clause for the error message
	body            []byte
	err             error
	cancelled       bool
	ours            bool // message and happened contain no text of the answer
}

// fail makes the failure of the call. All external text is redacted here, before it is truncated.
func (k *call) fail(c cause) *schema.Failure {
	if k.export.Private != nil {
		c = k.private(c)
	}
	f := &schema.Failure{
		Code: c.code, Class: schema.RuleOf(c.code).Class, Origin: c.origin, Export: k.export, Status: k.status,
		Result: k.clean(c.result), Message: k.clean(c.message), Date: k.date, Request: k.request, Err: k.redact.err(c.err),
	}
	what := schema.RuleOf(c.code).Advice
	if c.cancelled {
		f.Class, what = schema.Cancelled, "no action is needed"
	}
	if f.Message == "" && c.err != nil {
		f.Message = k.clean(c.err.Error())
	}
	f.Detail = k.clean(k.export.String() + ": " + c.happened + "; " + what)
	f.Body = schema.Copy(k.redactBytes(c.body))
	if len(k.headers) > 0 {
		f.Headers = make(map[string]string, len(k.headers))
		for name, value := range k.headers {
			f.Headers[name] = shortened(k.redactText(value), maxHeader)
		}
	}
	f.RetryAfter = retryAfter(k.headers["retry-after"], k.date)
	f.Request.URL = k.clean(k.request.URL)
	f.Request.Body = k.redactText(k.request.Body)
	f.Request.Duration = time.Since(k.request.Started)
	f.Redacted = k.redacted || k.export.Private != nil && !k.export.KeepBody
	return f
}

// redactBytes returns b without the token.
func (k *call) redactBytes(b []byte) []byte {
	clean := k.redact.bytes(b)
	k.redacted = k.redacted || !bytes.Equal(clean, b)
	return clean
}

func (k *call) redactText(text string) string { return string(k.redactBytes([]byte(text))) }

func (k *call) clean(text string) string {
	return shortened(strings.ToValidUTF8(k.redactText(text), "\ufffd"), maxMessage)
}

func shortened(text string, maxBytes int) string {
	if len(text) <= maxBytes {
		return text
	}
	return strings.ToValidUTF8(text[:maxBytes], "") + "…"
}

func withoutPassword(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return schema.Redacted
	}
	return u.Redacted()
}

// lost is the failure of a call without an answer.
func (k *call) lost(err error) *schema.Failure {
	c := cause{origin: schema.OriginTransport, err: err}
	k.transportCode(&c, schema.Connection)
	return k.fail(c)
}

// torn is the failure of a call whose answer was interrupted.
func (k *call) torn(err error, body []byte) *schema.Failure {
	if conflict, ok := errors.AsType[*charset.ConflictError](err); ok {
		return k.conflict(conflict)
	}
	c := cause{origin: schema.OriginTransport, err: err, body: body}
	k.transportCode(&c, schema.CutBody)
	return k.fail(c)
}

// transportCode classifies why a connection failed; otherwise is the code if there is no more
// specific one.
func (k *call) transportCode(c *cause, otherwise schema.Code) {
	expired := k.expired.Load()
	var netErr net.Error
	switch {
	case k.cancelled():
		c.code, c.cancelled, c.happened, c.ours = otherwise, true, "the connector cancelled the call", true
	case expired != nil:
		c.code, c.err, c.happened, c.ours = schema.Timeout, expired, expired.Error(), true
	case otherwise == schema.CutBody:
		c.code, c.happened = otherwise, "the body was cut: "+c.err.Error()
	case errors.As(c.err, &netErr) && netErr.Timeout(), errors.Is(c.err, context.DeadlineExceeded), errors.Is(c.err, os.ErrDeadlineExceeded):
		c.code, c.happened = schema.Timeout, "connection timed out: "+c.err.Error()
	case k.tlsFailed.Load(), isTLS(c.err):
		c.code, c.happened = schema.TLS, "no secure connection: "+c.err.Error()
	default:
		c.code, c.happened = otherwise, "no answer: "+c.err.Error()
	}
}

// isTLS recognizes TLS failures that happen after the handshake, or instead of one.
func isTLS(err error) bool {
	if operated, ok := errors.AsType[*net.OpError](err); ok && operated.Op == "remote error" { // an alert of the peer
		return true
	}
	_, record := errors.AsType[tls.RecordHeaderError](err)
	_, verify := errors.AsType[*tls.CertificateVerificationError](err)
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	_, hostname := errors.AsType[x509.HostnameError](err)
	_, invalid := errors.AsType[x509.CertificateInvalidError](err)
	return record || verify || unknown || hostname || invalid || errors.Is(err, http.ErrSchemeMismatch)
}

// diagnosticHeaders selects the headers that help to diagnose a failure, with lower-case names.
// Their number is limited to the names listed here.
func diagnosticHeaders(all http.Header) map[string]string {
	kept := map[string]string{}
	for name, values := range all {
		name = strings.ToLower(name)
		switch name {
		case "date", "content-type", "content-length", "content-encoding", "server", "via", "retry-after", "location", "age", "x-cache",
			"x-request-id", "request-id", "x-correlation-id", "x-trace-id", "traceparent", "x-amzn-requestid", "x-amzn-trace-id", "x-amz-cf-id", "cf-ray",
			"x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset":
			if len(values) > 0 {
				kept[name] = values[0]
			}
		}
	}
	return kept
}
