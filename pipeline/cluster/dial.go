package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/metadata"
)

// dialTimeout limits one connection with its handshakes. It must leave time to try the next
// broker if one does not answer.
const dialTimeout = 10 * time.Second

// dialer makes connections that are ready for requests. kafka-go has TLS and SASL, too, but
// with certificates fixed at the start, without a timeout for authentication, and with errors
// that do not name the broker.
type dialer struct {
	clientID string
	tls      *TLS
	sasl     *SASL
	// plain makes the connection for the handshakes.
	plain func(ctx context.Context, network, address string) (net.Conn, error)
}

// dial returns an authenticated connection that renews its login, or a *ConnectError.
func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, lifetime, err := d.open(ctx, network, address)
	if err != nil || lifetime == 0 {
		return conn, err
	}
	return newExpiring(conn, lifetime, func(ctx context.Context) (net.Conn, time.Duration, error) { return d.open(ctx, network, address) }), nil
}

// open returns an authenticated connection and how long its login is valid, 0 for unlimited; or
// a *ConnectError. A refused login is retried once with the password as sent by earlier
// releases.
func (d *dialer) open(ctx context.Context, network, address string) (net.Conn, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, lifetime, err := d.connect(ctx, network, address, false)
	if err == nil || d.sasl == nil || !d.sasl.tryLegacy(err) {
		return conn, lifetime, err
	}
	again, lifetime, refused := d.connect(ctx, network, address, true)
	if refused != nil {
		return nil, 0, err
	}
	d.sasl.acceptLegacy()
	return again, lifetime, nil
}

func (d *dialer) connect(ctx context.Context, network, address string, legacy bool) (net.Conn, time.Duration, error) {
	conn, err := d.plain(ctx, network, address)
	if err != nil {
		return nil, 0, &ConnectError{Broker: address, Step: StepConnect, Err: err}
	}
	deadline, _ := ctx.Deadline()
	conn.SetDeadline(deadline)
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	ready, lifetime, step, err := d.handshake(ctx, conn, address, legacy)
	if err == nil && !stop() {
		err = ctx.Err() // the deadline may already have been set to the past
	}
	if err != nil {
		conn.Close()
		return nil, 0, &ConnectError{Broker: address, Step: step, Err: err}
	}
	conn.SetDeadline(time.Time{})
	return &inStep{Conn: ready}, lifetime, nil
}

// handshake returns the step at which it failed.
func (d *dialer) handshake(ctx context.Context, conn net.Conn, address string, legacy bool) (net.Conn, time.Duration, Step, error) {
	if d.tls != nil {
		host, _, _ := net.SplitHostPort(address)
		config, err := d.tls.load(host)
		if err != nil {
			return nil, 0, StepTLS, err
		}
		secured := tls.Client(conn, config)
		if err := secured.HandshakeContext(ctx); err != nil {
			return nil, 0, StepTLS, err
		}
		conn = secured
	}
	versions, err := negotiateVersions(conn, d.clientID)
	if err != nil {
		return nil, 0, StepGreet, err
	}
	if d.sasl == nil {
		return conn, 0, StepSASL, unauthenticated(conn, d.clientID)
	}
	m, err := d.sasl.mechanism(ctx, legacy)
	if err != nil {
		return nil, 0, StepSASL, err
	}
	lifetime, err := authenticate(ctx, conn, m, peer{address: address, clientID: d.clientID, version: min(versions[protocol.SaslAuthenticate], 1)})
	return conn, lifetime, StepSASL, err
}

var errNoSASL = errors.New("a request without authentication failed")

// unauthenticated makes a request, because a listener with SASL accepts any connection and
// closes it at the first request.
func unauthenticated(conn net.Conn, clientID string) error {
	if _, err := protocol.RoundTrip(conn, 4, 2, clientID, &metadata.Request{TopicNames: []string{}}); err != nil {
		return fmt.Errorf("%w: %w", errNoSASL, err)
	}
	return nil
}

// load reads the files.
func (t *TLS) load(host string) (*tls.Config, error) {
	config := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read the CA file: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("the CA file %s contains no PEM certificate", t.CAFile)
		}
	}
	if t.CertFile != "" || t.KeyFile != "" {
		cert, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("read the client's certificate %q and key %q: %w", t.CertFile, t.KeyFile, err)
		}
		config.Certificates = []tls.Certificate{cert}
	}
	return config, nil
}

var errNotKafka = errors.New("the answer is not from Kafka")

// negotiateVersions sends ApiVersions v0 and returns the newest supported version of each kind
// of request. It checks the frame of the answer itself: kafka-go would trust the lengths in an
// answer of a TLS or HTTP server and allocate gigabytes.
func negotiateVersions(conn net.Conn, clientID string) (map[protocol.ApiKey]int16, error) {
	const apiVersions, correlation, longest = 18, 1, 64 << 10
	req := binary.BigEndian.AppendUint32(nil, uint32(10+len(clientID)))
	req = binary.BigEndian.AppendUint16(req, apiVersions)
	req = binary.BigEndian.AppendUint16(req, 0)
	req = binary.BigEndian.AppendUint32(req, correlation)
	req = binary.BigEndian.AppendUint16(req, uint16(len(clientID)))
	if _, err := conn.Write(append(req, clientID...)); err != nil {
		return nil, err
	}
	var frame [8]byte
	if _, err := io.ReadFull(conn, frame[:5]); err != nil {
		return nil, err
	}
	const tlsAlert = 0x15
	if frame[0] == tlsAlert {
		return nil, fmt.Errorf("%w: it looks like TLS", errNotKafka)
	}
	if _, err := io.ReadFull(conn, frame[5:]); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(frame[:4])
	if size < 6 || size > longest || binary.BigEndian.Uint32(frame[4:]) != correlation {
		return nil, errNotKafka
	}
	body := make([]byte, size-4)
	if _, err := io.ReadFull(conn, body); err != nil {
		return nil, err
	}
	return newest(body), nil
}

// newest parses the body of an answer to ApiVersions v0: an error code, a count, and for each
// kind of request its number, and its oldest and newest version.
func newest(body []byte) map[protocol.ApiKey]int16 {
	versions := make(map[protocol.ApiKey]int16)
	const head, entry = 6, 6
	for at := head; at+entry <= len(body); at += entry {
		versions[protocol.ApiKey(binary.BigEndian.Uint16(body[at:]))] = int16(binary.BigEndian.Uint16(body[at+4:]))
	}
	return versions
}
