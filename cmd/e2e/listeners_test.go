package e2e

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// TestSecurityModes moves 100,000 rows by each kind of listener, after check's own remedies gave the user its rights.
func TestSecurityModes(t *testing.T) {
	k := newSecureKafka(t)
	modes := map[string]struct {
		listener string
		set      func(*situation)
	}{
		"TLS":           {"TLS", func(s *situation) { s.trust(k, "ca.pem") }},
		"mutual TLS":    {"MTLS", func(s *situation) { s.trust(k, "ca.pem"); s.present(k, "client") }},
		"PLAIN":         {"SASL", func(s *situation) { s.trust(k, "ca.pem"); s.loginBy("PLAIN", "dfinery", k.password) }},
		"SCRAM-SHA-256": {"SASL", func(s *situation) { s.trust(k, "ca.pem"); s.loginBy("SCRAM-SHA-256", "dfinery", k.password) }},
		"SCRAM-SHA-512": {"SASL", func(s *situation) { s.trust(k, "ca.pem"); s.loginBy("SCRAM-SHA-512", "dfinery", k.password) }},
		"OAUTHBEARER":   {"SASL", func(s *situation) { s.trust(k, "ca.pem"); s.loginByToken(k, k.password, claims("kafka", time.Hour)) }},
		"SCRAM, no TLS": {"SASL_PLAIN", func(s *situation) { s.loginBy("SCRAM-SHA-512", "dfinery", k.password) }},
		"token, no TLS": {"SASL_PLAIN", func(s *situation) { s.loginByToken(k, k.password, claims("kafka", time.Hour)) }},
		"secrets in files": {"SASL", func(s *situation) {
			s.trust(k, "ca.pem")
			s.loginBy("SCRAM-SHA-256", "dfinery", "")
			delete(s.environ, "KAFKA_SASL_PASSWORD")
			s.environ["KAFKA_SASL_PASSWORD_FILE"] = filepath.Join(k.pki, "password")
		}},
	}
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			s := k.reach(t, mode.listener, 34_000)
			mode.set(s)
			for _, remedy := range s.remedies() {
				if strings.HasPrefix(remedy, "kafka-acls.sh") {
					s.carryOut(remedy)
				}
			}
			if out, got := s.run("check"); got.Code != 0 {
				t.Fatalf("exit %d:\n%s%s", got.Code, out, got.Stderr)
			}
			s.ran()
			compare(t, s.served(schema.Event), s.published("events"))
		})
	}
}

// TestLoginExpires goes on through a broker that ends each connection two seconds after its login (KIP-368).
func TestLoginExpires(t *testing.T) {
	k := newSecureKafka(t)
	s := k.reach(t, "SASL_PLAIN", 20_000)
	s.loginByToken(k, k.password, claims("kafka", time.Hour))
	s.api.Faults = func(exporttest.Call) *exporttest.Fault {
		return &exporttest.Fault{Drip: 64 << 10, DripEvery: 50 * time.Millisecond}
	}
	for _, remedy := range s.remedies() {
		s.carryOut(remedy)
	}
	began := time.Now()
	s.ran()
	if took := time.Since(began); took < 4*time.Second {
		t.Errorf("it took %s only, less than two logins live", took)
	}
	compare(t, s.served(schema.Event), s.published("events"))
}

// TestWrongSecurity meets each wrong setting: check says which at once, run --once gives up, neither hangs or tells a secret.
func TestWrongSecurity(t *testing.T) {
	k := newSecureKafka(t)
	wrongs := map[string]struct {
		listener string
		set      func(*situation)
	}{
		"expired certificate":        {"EXPIRED", func(s *situation) { s.trust(k, "ca.pem") }},
		"another CA":                 {"TLS", func(s *situation) { s.trust(k, "other-ca.pem") }},
		"another host name":          {"STRANGER", func(s *situation) { s.trust(k, "ca.pem") }},
		"plain to TLS":               {"TLS", func(*situation) {}},
		"TLS to plain":               {"ADMIN", func(s *situation) { s.trust(k, "ca.pem") }},
		"no client certificate":      {"MTLS", func(s *situation) { s.trust(k, "ca.pem") }},
		"client of another CA":       {"MTLS", func(s *situation) { s.trust(k, "ca.pem"); s.present(k, "other-ca") }},
		"expired client certificate": {"MTLS", func(s *situation) { s.trust(k, "ca.pem"); s.present(k, "expired-client") }},
		"wrong password by PLAIN":    {"SASL", func(s *situation) { s.trust(k, "ca.pem"); s.loginBy("PLAIN", "dfinery", canary) }},
		"wrong password by SCRAM":    {"SASL", func(s *situation) { s.trust(k, "ca.pem"); s.loginBy("SCRAM-SHA-256", "dfinery", canary) }},
		"unknown user":               {"SASL_PLAIN", func(s *situation) { s.loginBy("SCRAM-SHA-512", "nobody", canary) }},
		"no login":                   {"SASL_PLAIN", func(*situation) {}},
		"login to a listener without": {"TLS", func(s *situation) {
			s.trust(k, "ca.pem")
			s.loginBy("PLAIN", "dfinery", canary)
		}},
		"wrong client secret": {"SASL_PLAIN", func(s *situation) { s.loginByToken(k, canary, claims("kafka", time.Hour)) }},
		"another audience":    {"SASL_PLAIN", func(s *situation) { s.loginByToken(k, k.password, claims("another", time.Hour)) }},
		"expired token":       {"SASL_PLAIN", func(s *situation) { s.loginByToken(k, k.password, claims("kafka", -time.Minute)) }},
		"no token server": {"SASL_PLAIN", func(s *situation) {
			s.loginByToken(k, canary, nil)
			s.environ["KAFKA_SASL_OAUTH_TOKEN_URL"] = "http://" + closedPort(s.t)
		}},
	}
	for name, wrong := range wrongs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := k.reach(t, wrong.listener, 10)
			wrong.set(s)
			began := time.Now()
			out, got := s.run("check", "--json")
			if took := time.Since(began); got.Code != 1 || took > time.Minute {
				t.Errorf("check: exit %d after %s:\n%s", got.Code, took, out)
			}
			golden(t, "testdata/secure/"+strings.ReplaceAll(name, " ", "-")+".txt", s.plain(s.failed(out)))
			began = time.Now()
			_, got = s.run("run", "--once")
			if took := time.Since(began); got.Code != 1 || took > 2*time.Minute {
				t.Errorf("run --once: exit %d after %s:\n%s", got.Code, took, got.Stderr)
			}
			if diff := cmp.Diff(0, len(s.api.Calls())); diff != "" {
				t.Errorf("export calls (-want +got):\n%s", diff)
			}
			if strings.Contains(out+got.Stderr, k.password) {
				t.Errorf("a secret is shown:\n%s%s", out, got.Stderr)
			}
			last := got.Stderr[strings.LastIndex(strings.TrimSpace(got.Stderr), "\n")+1:]
			if !strings.HasPrefix(last, "dfinery-kafka: service 1234: ") || !strings.Contains(last, "kafka broker 127.0.0.1:") {
				t.Errorf("run --once ends with %q", last)
			}
		})
	}
}

// failed are the lines of check's JSON that failed.
func (s *situation) failed(out string) string {
	s.t.Helper()
	var report struct {
		Checks []struct {
			Check, Status, Detail string
			Remedy                []string
		}
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		s.t.Fatalf("%v:\n%s", err, out)
	}
	var b strings.Builder
	for _, l := range report.Checks {
		if l.Status == "fail" {
			fmt.Fprintf(&b, "%s: %s\n→ %s\n", l.Check, l.Detail, strings.Join(l.Remedy, "\n→ "))
		}
	}
	return b.String()
}
