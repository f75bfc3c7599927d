package exportapi

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"syscall"

	"dfinery-kafka/schema"
)

// A stream that hides cells shows no text of the API's answers: any text may contain a cell,
// and failures go into logs, dead letters, the ledger and the status.

// notShown replaces the text of an answer.
const notShown = "the text of the answer is not shown, because the stream hides columns"

// private rewrites the cause without text of the answer.
func (k *call) private(c cause) cause {
	if !k.export.KeepBody {
		c.body = nil
		k.withholdHeaders()
	}
	if c.result != "fail" {
		c.result = ""
	}
	switch reason := safeText(c.err); {
	case c.ours:
	case knownToAPI(c.message):
		c.happened = fmt.Sprintf("the API answered %s, %q", k.statusText, c.message)
	case reason != "":
		c.message, c.happened = reason, c.happenedBefore()+reason
	default:
		c.message, c.happened = string(c.code), "the call failed with "+string(c.code)
		if k.status != 0 {
			c.happened += ", the answer was " + k.statusText
		}
		c.happened += "; " + notShown
	}
	if c.err != nil && !c.ours {
		c.err = &redactedError{text: c.message, err: c.err}
	}
	return c
}

// withholdHeaders removes headers that say more than the kind of the answer.
func (k *call) withholdHeaders() {
	delete(k.headers, "location")
	if declared, ok := k.headers["content-type"]; ok {
		delete(k.headers, "content-type")
		if kind := contentType(declared); slices.Contains([]string{csvType, "text/plain", "text/html", "application/json"}, kind) {
			k.headers["content-type"] = kind
		}
	}
	if coding, ok := k.headers["content-encoding"]; ok && coding != "gzip" {
		delete(k.headers, "content-encoding")
	}
}

// happenedBefore says what a connection error interrupted.
func (c *cause) happenedBefore() string {
	switch c.code {
	case schema.CutBody:
		return "the body was cut: "
	case schema.TLS:
		return "no secure connection: "
	}
	return "no answer: "
}

// safeText is the text of the innermost error that comes from the connection or from this
// program; empty if there is none. The errors that wrap it may quote an answer.
func safeText(err error) string {
	var (
		op       *net.OpError
		dns      *net.DNSError
		limit    *timeoutError
		verify   *tls.CertificateVerificationError
		hostname x509.HostnameError
		number   syscall.Errno
	)
	switch {
	case errors.As(err, &limit):
		return limit.Error()
	case errors.As(err, &verify):
		return verify.Error()
	case errors.As(err, &hostname):
		return hostname.Error()
	case errors.As(err, &dns):
		return dns.Error()
	case errors.As(err, &op) && op.Addr != nil:
		return op.Op + " " + op.Net + " " + op.Addr.String() + ": " + opReason(op.Err)
	case errors.As(err, &number):
		return number.Error()
	}
	for _, known := range []error{io.ErrUnexpectedEOF, io.EOF, context.DeadlineExceeded, errAfterGzip, errBaseURL} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return ""
}

func opReason(err error) string {
	if number, ok := errors.AsType[syscall.Errno](err); ok {
		return number.Error()
	}
	return "failed"
}

// ownStatus is the status of an answer with the standard text instead of the server's.
func ownStatus(status int) string { return strconv.Itoa(status) + " " + http.StatusText(status) }

// lineHash is the hash of a line of the export's body.
func lineHash(e *schema.Export, raw []byte) string {
	if e.Private != nil {
		return fmt.Sprintf("%x", e.Private.LineHash(raw))
	}
	return fmt.Sprintf("%x", schema.BadFingerprint(raw))
}
