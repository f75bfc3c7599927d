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
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dfinery-kafka/connector/exporttest"
)

// securedKafka is the cluster of deploy/kafka-secure-up.sh, whose directory KAFKA_TEST_SECURE
// names.
type securedKafka struct {
	pki       string
	listeners map[string]string
	password  string // of the user dfinery
}

func newSecuredKafka(t *testing.T) *securedKafka {
	t.Helper()
	dir := os.Getenv("KAFKA_TEST_SECURE")
	if dir == "" {
		t.Skip("needs the directory of deploy/kafka-secure-up.sh in KAFKA_TEST_SECURE")
	}
	k := &securedKafka{pki: filepath.Join(dir, "pki"), listeners: map[string]string{}}
	for line := range strings.Lines(readFile(t, filepath.Join(k.pki, "addresses"))) {
		name, address, _ := strings.Cut(strings.TrimSpace(line), "=")
		k.listeners[name] = address
	}
	k.password = strings.TrimSpace(readFile(t, filepath.Join(k.pki, "password")))
	return k
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// testbed returns a service whose program connects to one of the listeners. The test itself
// connects as an administrator.
func (k *securedKafka) testbed(t *testing.T, listener string, rows int) *testbed {
	t.Helper()
	b := newTestbedOn(t, &exporttest.Server{Data: exporttest.Data{Seed: 1, RowsPerDay: rows}}, k.listeners["ADMIN"])
	t.Cleanup(b.deleteAllTopics)
	b.set("KAFKA_BROKERS", k.listeners[listener])
	return b
}

// testbedWithoutRights returns a service whose program logs in as a new user without rights.
func (k *securedKafka) testbedWithoutRights(t *testing.T, rows int) *testbed {
	t.Helper()
	b := k.testbed(t, "SASL_PLAIN", rows)
	b.loginAsNewUser(fmt.Sprintf("u%08x", mathrand.Uint32()), "password-of-a-test")
	return b
}

// trust makes the program use TLS and trust one CA.
func (b *testbed) trust(k *securedKafka, ca string) {
	b.set("KAFKA_TLS", "true", "KAFKA_TLS_CA_FILE", filepath.Join(k.pki, ca))
}

func (b *testbed) useCertificate(k *securedKafka, name string) {
	b.set("KAFKA_TLS_CERT_FILE", filepath.Join(k.pki, name+".pem"), "KAFKA_TLS_KEY_FILE", filepath.Join(k.pki, name+".key"))
}

func (b *testbed) loginWith(mechanism, user, password string) {
	b.login(user, password)
	b.set("KAFKA_SASL_MECHANISM", mechanism)
}

// loginWithToken makes the program get its tokens from an OAuth server of the test, which
// accepts one secret and signs the given claims.
func (b *testbed) loginWithToken(k *securedKafka, secret string, claims map[string]any) {
	b.t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if id, got, _ := r.BasicAuth(); id != "dfinery" || got != k.password {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, `{"error":"invalid_client","error_description":%q}`, got)
			return
		}
		fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":60}`, k.sign(b.t, claims))
	}))
	b.t.Cleanup(server.Close)
	b.set("KAFKA_SASL_MECHANISM", "OAUTHBEARER", "KAFKA_SASL_OAUTH_TOKEN_URL", server.URL, "KAFKA_SASL_OAUTH_CLIENT_ID", "dfinery",
		"KAFKA_SASL_OAUTH_CLIENT_SECRET", secret, "KAFKA_SASL_OAUTH_SCOPE", "kafka")
}

// claims returns the claims of a token for an audience that was issued an hour ago.
func claims(audience string, life time.Duration) map[string]any {
	now := time.Now()
	return map[string]any{"sub": "dfinery", "aud": audience, "scope": "kafka", "iat": now.Add(-time.Hour).Unix(), "exp": now.Add(life).Unix()}
}

// sign returns a JSON web token that the cluster accepts.
func (k *securedKafka) sign(t *testing.T, claims map[string]any) string {
	block, _ := pem.Decode([]byte(readFile(t, filepath.Join(k.pki, "oauth.key"))))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Error(err)
		return ""
	}
	part := func(v any) string {
		text, _ := json.Marshal(v) // can't fail for maps of strings and numbers
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
