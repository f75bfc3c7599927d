package cluster_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"dfinery-kafka/pipeline/cluster"
)

// TestLoginSendsPlainUTF8: passwords that SASLprep would change are sent as plain UTF-8, as
// Kafka's own tools store them.
func TestLoginSendsPlainUTF8(t *testing.T) {
	for name, text := range map[string]string{
		"decomposed": "pa\u0308sswo\u0308rd", "compatibility": "\u00aa\u2168", "soft hyphen": "pass\u00adword", "no-break space": "pass\u00a0word",
		"a blank in front": " password", "a bell": "pass\u0007word", "separators": "a=b,c",
	} {
		for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
			t.Run(name+"/"+mechanism, func(t *testing.T) {
				fake := embedded(t, kfake.NumBrokers(1), kfake.EnableSASL(), kfake.Superuser(mechanism, "app", text))
				c := connect(t, cluster.Config{Brokers: fake.ListenAddrs(), SASL: &cluster.SASL{Mechanism: mechanism, Username: "app", Password: fixed(text),
					Legacy: func() { t.Error("the password was sent as earlier releases did") }}})
				if err := c.Ping(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestLegacyLogin: a refused login is retried with the password as earlier releases sent it. If
// that succeeds, it is reported once, and the next login uses that form first.
func TestLegacyLogin(t *testing.T) {
	tests := map[string]struct {
		mechanism, stored, given string
		legacy                   int // how often it is reported
		fails                    bool
	}{
		"as it is":                     {"SCRAM-SHA-512", "secret", "secret", 0, false},
		"white space around":           {"SCRAM-SHA-512", "secret", " secret\n", 1, false},
		"white space around, by PLAIN": {"PLAIN", "secret", "secret ", 1, false},
		"stored normalized":            {"SCRAM-SHA-256", "IX", "\u2168", 1, false},
		"wrong in any case":            {"SCRAM-SHA-512", "secret", " wrong ", 0, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			fake := embedded(t, kfake.NumBrokers(1), kfake.EnableSASL(), kfake.Superuser(test.mechanism, "app", test.stored))
			said := 0
			c := connect(t, cluster.Config{Brokers: fake.ListenAddrs(), SASL: &cluster.SASL{Mechanism: test.mechanism, Username: "app", Password: fixed(test.given),
				Legacy: func() { said++ }}})
			for range 3 {
				if err := c.Ping(t.Context()); (err != nil) != test.fails {
					t.Errorf("Ping() = %v", err)
				}
			}
			if said != test.legacy {
				t.Errorf("reported %d times, want %d", said, test.legacy)
			}
		})
	}
}
