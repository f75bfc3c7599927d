package e2e

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

	"dfinery-kafka/connector/exporttest"
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
	return &situation{b}
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
