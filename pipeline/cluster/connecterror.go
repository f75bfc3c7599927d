package cluster

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"syscall"

	"github.com/segmentio/kafka-go"
)

// Step is a step of connecting.
type Step string

// The steps, in order.
const (
	StepConnect Step = "connect"
	StepTLS     Step = "TLS handshake"
	StepGreet   Step = "first request"
	StepSASL    Step = "SASL authentication"
)

// ConnectError reports which broker could not be reached, at which step, and what to check. It
// contains no secrets.
type ConnectError struct {
	Broker string // HOST:PORT
	Step   Step
	Err    error
}

func (e *ConnectError) Error() string { return "kafka broker " + e.Broker + ": " + e.Detail() }

// Detail is the error without the broker's address.
func (e *ConnectError) Detail() string {
	text := fmt.Sprintf("%s: %v", e.Step, e.Err)
	if advice := e.advice(); advice != "" {
		text += " (" + advice + ")"
	}
	return text
}

func (e *ConnectError) Unwrap() error { return e.Err }

func (e *ConnectError) advice() string {
	switch e.Step {
	case StepConnect:
		return e.connectAdvice()
	case StepTLS:
		return e.tlsAdvice()
	case StepGreet:
		if refusedOurs(e.Err) {
			return refusedAdvice
		}
		if isBroken(e.Err) || errors.Is(e.Err, errNotKafka) {
			return "does this port expect TLS, or is it no listener of Kafka?"
		}
	case StepSASL:
		switch {
		case errors.As(e.Err, new(*TokenError)):
			return "check the token's address, the client's id and its secret"
		case errors.Is(e.Err, errNoSASL):
			return "does this listener ask for SASL?"
		case errors.Is(e.Err, kafka.SASLAuthenticationFailed):
			return "check the user name, the password or token, and the mechanism"
		case errors.Is(e.Err, kafka.UnsupportedSASLMechanism):
			return "choose a mechanism that this listener offers"
		case errors.Is(e.Err, kafka.IllegalSASLState):
			return "does this listener have no SASL?"
		case isBroken(e.Err):
			return "some brokers end the connection for a wrong user name, password or mechanism, or when the listener has no SASL"
		}
	}
	return ""
}

func (e *ConnectError) connectAdvice() string {
	var dns *net.DNSError
	switch {
	case errors.As(e.Err, &dns):
		return "check the host's name and the resolver; the cluster's advertised.listeners must be resolvable from here"
	case errors.Is(e.Err, syscall.ECONNREFUSED):
		return "nothing listens there: check the port and that the broker runs"
	case Retriable(e.Err):
		return "check the network and its firewalls"
	}
	return ""
}

func (e *ConnectError) tlsAdvice() string {
	var unknown x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(e.Err, &unknown):
		return "the CA file must hold the CA of the broker's certificate"
	case errors.As(e.Err, &hostname):
		return "reach the broker by a name of its certificate"
	case errors.As(e.Err, &invalid) && invalid.Reason == x509.Expired:
		return "the broker needs a new certificate, unless the clock of this machine is wrong"
	case refusedOurs(e.Err):
		return refusedAdvice
	case isBroken(e.Err), errors.As(e.Err, new(tls.RecordHeaderError)):
		return "does this port expect plain connections?"
	}
	return ""
}

const refusedAdvice = "the broker wants a client certificate, or does not take the one that it was given"

// refusedOurs reports whether the broker ended TLS with an alert. With TLS 1.3 the alert
// arrives only after the client's side of the handshake, when the broker has checked the client
// certificate. The type of the alert is not exported by crypto/tls.
func refusedOurs(err error) bool {
	operation, ok := errors.AsType[*net.OpError](err)
	return ok && operation.Op == "remote error"
}
