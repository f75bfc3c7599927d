package main_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// secureKafka is the cluster of deploy/kafka-secure-up.sh whose directory KAFKA_TEST_SECURE names.
type secureKafka struct {
	pki       string
	listeners map[string]string
	password  string
}

func newSecureKafka(t *testing.T) *secureKafka {
	t.Helper()
	dir := os.Getenv("KAFKA_TEST_SECURE")
	if dir == "" {
		t.Skip("needs the directory of deploy/kafka-secure-up.sh in KAFKA_TEST_SECURE")
	}
	k := &secureKafka{pki: filepath.Join(dir, "pki"), listeners: map[string]string{}}
	for line := range strings.Lines(read(t, filepath.Join(k.pki, "addresses"))) {
		name, address, _ := strings.Cut(strings.TrimSpace(line), "=")
		k.listeners[name] = address
	}
	k.password = strings.TrimSpace(read(t, filepath.Join(k.pki, "password")))
	return k
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// reach is a situation whose program comes by a listener, and whose tests come as an administrator.
func (k *secureKafka) reach(t *testing.T, listener string, rows int) *situation {
	t.Helper()
	b := newBench(t, &exporttest.Server{Data: exporttest.Data{Seed: 1, RowsPerDay: rows}})
	b.brokers = k.listeners["ADMIN"]
	b.environ["KAFKA_BROKERS"] = k.listeners[listener]
	client, err := kgo.NewClient(kgo.SeedBrokers(b.brokers))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &situation{bench: b, cluster: kadm.NewClient(client)}
}

func (s *situation) trust(k *secureKafka, ca string) {
	s.environ["KAFKA_TLS"], s.environ["KAFKA_TLS_CA_FILE"] = "true", filepath.Join(k.pki, ca)
}

func (s *situation) present(k *secureKafka, name string) {
	s.environ["KAFKA_TLS_CERT_FILE"], s.environ["KAFKA_TLS_KEY_FILE"] = filepath.Join(k.pki, name+".pem"), filepath.Join(k.pki, name+".key")
}

func (s *situation) loginBy(mechanism, user, password string) {
	s.login(user, password)
	s.environ["KAFKA_SASL_MECHANISM"] = mechanism
}

// loginByToken gets tokens from a server of its own, which takes one secret and signs as claims say.
func (s *situation) loginByToken(k *secureKafka, secret string, claims map[string]any) {
	s.t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if id, got, _ := r.BasicAuth(); id != "dfinery" || got != k.password {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, `{"error":"invalid_client","error_description":%q}`, got)
			return
		}
		fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":60}`, k.sign(s.t, claims))
	}))
	s.t.Cleanup(server.Close)
	s.environ["KAFKA_SASL_MECHANISM"], s.environ["KAFKA_SASL_OAUTH_TOKEN_URL"] = "OAUTHBEARER", server.URL
	s.environ["KAFKA_SASL_OAUTH_CLIENT_ID"], s.environ["KAFKA_SASL_OAUTH_CLIENT_SECRET"] = "dfinery", secret
	s.environ["KAFKA_SASL_OAUTH_SCOPE"] = "kafka"
}

func claims(audience string, life time.Duration) map[string]any {
	now := time.Now()
	return map[string]any{"sub": "dfinery", "aud": audience, "scope": "kafka", "iat": now.Add(-time.Hour).Unix(), "exp": now.Add(life).Unix()}
}

func (k *secureKafka) sign(t *testing.T, claims map[string]any) string {
	block, _ := pem.Decode([]byte(read(t, filepath.Join(k.pki, "oauth.key"))))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Error(err)
		return ""
	}
	part := func(v any) string {
		text, _ := json.Marshal(v) // maps of strings and numbers
		return base64.RawURLEncoding.EncodeToString(text)
	}
	text := part(map[string]string{"alg": "RS256", "kid": "test", "typ": "JWT"}) + "." + part(claims)
	hash := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key.(*rsa.PrivateKey), crypto.SHA256, hash[:])
	if err != nil {
		t.Error(err)
		return ""
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

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
			if took := time.Since(began); got.Code != 1 || took > 15*time.Second {
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
