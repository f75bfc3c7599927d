package cluster

import (
	"context"

	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/scram"
	xdg "github.com/xdg-go/scram"
)

// algorithms maps the mechanisms with a password to their hash; nil: none.
var algorithms = map[string]scram.Algorithm{"PLAIN": nil, "SCRAM-SHA-256": scram.SHA256, "SCRAM-SHA-512": scram.SHA512}

// scramLogin is SCRAM (RFC 5802) without SASLprep, which kafka-go's implementation always applies.
type scramLogin struct {
	name   string
	client *xdg.Client
}

// Name implements sasl.Mechanism.
func (l scramLogin) Name() string { return l.name }

// Start implements sasl.Mechanism.
func (l scramLogin) Start(context.Context) (sasl.StateMachine, []byte, error) {
	session := scramSession{l.client.NewConversation()}
	first, err := session.Step("")
	return session, []byte(first), err
}

type scramSession struct{ *xdg.ClientConversation }

// Next implements sasl.StateMachine.
func (s scramSession) Next(_ context.Context, challenge []byte) (bool, []byte, error) {
	answer, err := s.Step(string(challenge))
	return s.Done(), []byte(answer), err
}
