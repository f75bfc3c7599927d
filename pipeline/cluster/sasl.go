package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/saslauthenticate"
	"github.com/segmentio/kafka-go/protocol/saslhandshake"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
)

// PasswordFile reads the password from a file each time it is called. White space around it is no part of it.
func PasswordFile(path string) func() (string, error) {
	return func() (string, error) {
		text, err := os.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("read the password file: %w", err)
		}
		password := strings.TrimSpace(string(text))
		if password == "" {
			return "", fmt.Errorf("the password file %s is empty", path)
		}
		return password, nil
	}
}

// mechanism asks for the password or token and holds it for one connection.
func (s *SASL) mechanism(ctx context.Context) (sasl.Mechanism, error) {
	if s.Mechanism == mechanismBearer {
		token, err := s.Token(ctx)
		if err != nil {
			return nil, err
		}
		return bearer{token}, nil
	}
	if s.Password == nil {
		return nil, errors.New("SASL needs a password")
	}
	var algorithm scram.Algorithm
	switch s.Mechanism {
	case "PLAIN":
	case "SCRAM-SHA-256":
		algorithm = scram.SHA256
	case "SCRAM-SHA-512":
		algorithm = scram.SHA512
	default:
		return nil, fmt.Errorf("SASL mechanism %q is none of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER", s.Mechanism)
	}
	password, err := s.Password()
	if err != nil {
		return nil, err
	}
	if algorithm == nil {
		return plain.Mechanism{Username: s.Username, Password: password}, nil
	}
	m, err := scram.Mechanism(algorithm, s.Username, password)
	if err != nil {
		// Its text would name a character of the password.
		return nil, errors.New("the user name or the password has characters that SCRAM does not allow")
	}
	return m, nil
}

// check finds what is wrong before the first connection. A token is not asked for.
func (s *SASL) check() error {
	if s.Mechanism == mechanismBearer {
		if s.Token == nil {
			return errors.New("OAUTHBEARER needs a source of tokens")
		}
		return nil
	}
	_, err := s.mechanism(context.Background())
	return err
}

// authenticate speaks SaslHandshake v1 and SaslAuthenticate v0 (https://kafka.apache.org/protocol#sasl_handshake). The caller
// has set a deadline on conn.
func (s *SASL) authenticate(ctx context.Context, conn net.Conn, address, clientID string) error {
	m, err := s.mechanism(ctx)
	if err != nil {
		return err
	}
	answer, err := protocol.RoundTrip(conn, 1, 2, clientID, &saslhandshake.Request{Mechanism: s.Mechanism})
	if err != nil {
		return err
	}
	if shake := answer.(*saslhandshake.Response); shake.ErrorCode != 0 {
		offer := ""
		if len(shake.Mechanisms) > 0 {
			offer = "the broker offers " + strings.Join(shake.Mechanisms, ", ")
		}
		return NewBrokerError(shake.ErrorCode, offer)
	}
	ctx = sasl.WithMetadata(ctx, &sasl.Metadata{Host: address})
	session, message, err := m.Start(ctx)
	if err != nil {
		return err
	}
	for correlation, done := int32(3), false; !done; correlation++ {
		answer, err := protocol.RoundTrip(conn, 0, correlation, clientID, &saslauthenticate.Request{AuthBytes: message})
		if err != nil {
			return err
		}
		auth := answer.(*saslauthenticate.Response)
		if auth.ErrorCode != 0 {
			return NewBrokerError(auth.ErrorCode, auth.ErrorMessage)
		}
		if done, message, err = session.Next(ctx, auth.AuthBytes); err != nil {
			return fmt.Errorf("%w: %w", kafka.SASLAuthenticationFailed, err)
		}
	}
	return nil
}
