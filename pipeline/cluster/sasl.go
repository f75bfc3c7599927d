package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/saslauthenticate"
	"github.com/segmentio/kafka-go/protocol/saslhandshake"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	xdg "github.com/xdg-go/scram"
	"github.com/xdg-go/stringprep"
)

// SASL authenticates each connection. It must not be copied after its first use.
type SASL struct {
	Mechanism string // PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER
	Username  string // of all but OAUTHBEARER
	// Password is called for each connection, so that passwords can be rotated without a restart.
	Password func() (string, error)
	// Token is called for each connection if the mechanism is OAUTHBEARER: see ClientCredentials.
	Token func(ctx context.Context) (string, error)
	// Legacy is called when the broker refused a password as it is, but accepted it as sent by
	// releases before 0.2: without surrounding white space, and with SCRAM normalized by
	// SASLprep. nil: nothing is called.
	Legacy func()

	legacy atomic.Pointer[string] // the password that is accepted only in that form
}

// mechanism gets the password or token and holds it for one connection. User and password are
// sent unchanged, in UTF-8, as Kafka's own tools store them
// (org.apache.kafka.common.security.scram.internals.ScramFormatter), without SASLprep. legacy
// sends them like earlier releases.
func (s *SASL) mechanism(ctx context.Context, legacy bool) (sasl.Mechanism, error) {
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
	algorithm, known := algorithms[s.Mechanism]
	if !known {
		return nil, fmt.Errorf("SASL mechanism %q is none of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER", s.Mechanism)
	}
	user := s.Username
	password, err := s.Password()
	if err != nil {
		return nil, err
	}
	if only := s.legacy.Load(); legacy || only != nil && *only == password {
		user, password = s.legacyLogin(user, password)
	}
	if algorithm == nil {
		return plain.Mechanism{Username: user, Password: password}, nil
	}
	client, err := xdg.HashGeneratorFcn(algorithm.Hash).NewClientUnprepped(user, password, "")
	if err != nil {
		return nil, errors.New("the user name or the password contains characters that SCRAM does not allow") // the original error might quote the password
	}
	return scramLogin{algorithm.Name(), client}, nil
}

// legacyLogin returns user name and password in the form of releases before 0.2.
func (s *SASL) legacyLogin(user, password string) (oldUser, oldPassword string) {
	password = strings.TrimSpace(password)
	if algorithms[s.Mechanism] == nil {
		return user, password
	}
	oldUser, badUser := stringprep.SASLprep.Prepare(user)
	oldPassword, badPassword := stringprep.SASLprep.Prepare(password)
	if badUser != nil || badPassword != nil {
		return user, password // it could not log in at all
	}
	return oldUser, oldPassword
}

// tryLegacy reports whether a failed login may succeed with the password in the form of earlier
// releases.
func (s *SASL) tryLegacy(err error) bool {
	failed, ok := errors.AsType[*ConnectError](err)
	if !ok || failed.Step != StepSASL || s.Password == nil || !errors.Is(err, kafka.SASLAuthenticationFailed) && !isBroken(err) {
		return false
	}
	password, unreadable := s.Password()
	if only := s.legacy.Load(); unreadable != nil || only != nil && *only == password {
		return false
	}
	oldUser, oldPassword := s.legacyLogin(s.Username, password)
	return oldUser != s.Username || oldPassword != password
}

// acceptLegacy stores that the password is accepted only in the earlier form, so that the next
// login does not fail first.
func (s *SASL) acceptLegacy() {
	password, err := s.Password()
	if err != nil {
		return
	}
	if only := s.legacy.Swap(&password); s.Legacy != nil && (only == nil || *only != password) {
		s.Legacy()
	}
}

// check validates the configuration before the first connection. It does not request a token.
func (s *SASL) check() error {
	if s.Mechanism == mechanismBearer {
		if s.Token == nil {
			return errors.New("OAUTHBEARER needs a source of tokens")
		}
		return nil
	}
	_, err := s.mechanism(context.Background(), false)
	return err
}

// peer is the broker for a login.
type peer struct {
	address, clientID string
	version           int16 // of SaslAuthenticate; version 1 returns how long the login is valid
}

// authenticate implements SaslHandshake v1 and SaslAuthenticate
// (https://kafka.apache.org/protocol#sasl_handshake) and returns how long the login is valid, 0
// for unlimited. The caller must set a deadline on conn.
func authenticate(ctx context.Context, conn net.Conn, m sasl.Mechanism, p peer) (time.Duration, error) {
	answer, err := protocol.RoundTrip(conn, 1, 2, p.clientID, &saslhandshake.Request{Mechanism: m.Name()})
	if err != nil {
		return 0, err
	}
	if shake := answer.(*saslhandshake.Response); shake.ErrorCode != 0 {
		offer := ""
		if len(shake.Mechanisms) > 0 {
			offer = "the broker offers " + strings.Join(shake.Mechanisms, ", ")
		}
		return 0, NewBrokerError(shake.ErrorCode, offer)
	}
	ctx = sasl.WithMetadata(ctx, &sasl.Metadata{Host: p.address})
	session, message, err := m.Start(ctx)
	if err != nil {
		return 0, err
	}
	var lifetime time.Duration
	for correlation, done := int32(3), false; !done; correlation++ {
		answer, err := protocol.RoundTrip(conn, p.version, correlation, p.clientID, &saslauthenticate.Request{AuthBytes: message})
		if err != nil {
			return 0, err
		}
		auth := answer.(*saslauthenticate.Response)
		if auth.ErrorCode != 0 {
			return 0, NewBrokerError(auth.ErrorCode, auth.ErrorMessage)
		}
		lifetime = time.Duration(auth.SessionLifetimeMs) * time.Millisecond
		if done, message, err = session.Next(ctx, auth.AuthBytes); err != nil {
			return 0, fmt.Errorf("%w: %w", kafka.SASLAuthenticationFailed, err)
		}
	}
	return lifetime, nil
}
