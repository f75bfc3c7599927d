package e2e

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/cmd/golden"
	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/pipeline/cluster/clustertest"
)

// TestSecurity_Listeners publishes 100,000 rows through each kind of listener, after the commands
// that check prints have granted the user its rights.
func TestSecurity_Listeners(t *testing.T) {
	k := newSecuredKafka(t)
	modes := map[string]struct {
		listener string
		set      func(*testbed)
	}{
		"TLS":           {"TLS", func(b *testbed) { b.trust(k, "ca.pem") }},
		"mutual TLS":    {"MTLS", func(b *testbed) { b.trust(k, "ca.pem"); b.useCertificate(k, "client") }},
		"PLAIN":         {"SASL", func(b *testbed) { b.trust(k, "ca.pem"); b.loginWith("PLAIN", "dfinery", k.password) }},
		"SCRAM-SHA-256": {"SASL", func(b *testbed) { b.trust(k, "ca.pem"); b.loginWith("SCRAM-SHA-256", "dfinery", k.password) }},
		"SCRAM-SHA-512": {"SASL", func(b *testbed) { b.trust(k, "ca.pem"); b.loginWith("SCRAM-SHA-512", "dfinery", k.password) }},
		"OAUTHBEARER":   {"SASL", func(b *testbed) { b.trust(k, "ca.pem"); b.loginWithToken(k, k.password, claims("kafka", time.Hour)) }},
		"SCRAM, no TLS": {"SASL_PLAIN", func(b *testbed) { b.loginWith("SCRAM-SHA-512", "dfinery", k.password) }},
		"token, no TLS": {"SASL_PLAIN", func(b *testbed) { b.loginWithToken(k, k.password, claims("kafka", time.Hour)) }},
		"secrets in files": {"SASL", func(b *testbed) {
			b.trust(k, "ca.pem")
			b.loginWith("SCRAM-SHA-256", "dfinery", "")
			delete(b.environ, "KAFKA_SASL_PASSWORD")
			b.environ["KAFKA_SASL_PASSWORD_FILE"] = filepath.Join(k.pki, "password")
		}},
	}
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			b := k.testbed(t, mode.listener, 34_000)
			mode.set(b)
			for _, remedy := range b.check().remedies() {
				if strings.HasPrefix(remedy, "kafka-acls.sh") {
					b.runRemedy(remedy)
				}
			}
			if out, got := b.run("check"); got.Code != 0 {
				t.Fatalf("exit %d:\n%s%s", got.Code, out, got.Stderr)
			}
			b.runOnce(0)
			b.compareEvents()
		})
	}
}

// TestSecurity_LoginExpires: a broker closes each connection at the first request two seconds
// after its login (KIP-368). Connections are replaced before that: no request fails, and
// nothing is logged.
func TestSecurity_LoginExpires(t *testing.T) {
	k := newSecuredKafka(t)
	b := k.testbed(t, "SASL_PLAIN", 20_000)
	b.loginWithToken(k, k.password, claims("kafka", time.Hour))
	b.api.Faults = func(exporttest.Call) *exporttest.Fault {
		return &exporttest.Fault{Drip: 64 << 10, DripEvery: 50 * time.Millisecond}
	}
	for _, remedy := range b.check().remedies() {
		b.runRemedy(remedy)
	}
	began := time.Now()
	expectNoWarning(t, b.runOnce(0))
	if took := time.Since(began); took < 4*time.Second {
		t.Errorf("the run took only %s, less than the lifetime of two logins", took)
	}
	b.compareEvents()
}

func expectNoWarning(t *testing.T, log string) {
	t.Helper()
	if strings.Contains(log, `"level":"WARN"`) || strings.Contains(log, `"level":"ERROR"`) {
		t.Errorf("the log has a warning or an error:\n%s", log)
	}
}

// TestSecurity_LoginExpiresWhileIdle: connections that were idle when their login expired are
// also replaced without a warning.
func TestSecurity_LoginExpiresWhileIdle(t *testing.T) {
	k := newSecuredKafka(t)
	b := k.testbed(t, "SASL_PLAIN", 10)
	b.loginWithToken(k, k.password, claims("kafka", time.Hour))
	for _, remedy := range b.check().remedies() {
		b.runRemedy(remedy)
	}
	b.set("STREAM_EVENTS_START", "0", "STREAM_EVENTS_POLL_INTERVAL", "3s", "DFINERY_CALLS_PER_HOUR", "10000", "OWNER_HEARTBEAT", "4s", "STANDBY_AFTER", "10s")
	p := b.start("run")
	p.awaitMore(`"msg":"export ended"`, 6)
	expectNoWarning(t, p.log())
}

// TestSecurity_WrongSettings runs check and "run --once" with each wrong setting: check reports
// it at once, "run --once" gives up, and neither hangs or prints a secret.
func TestSecurity_WrongSettings(t *testing.T) {
	k := newSecuredKafka(t)
	wrongs := map[string]struct {
		listener string
		set      func(*testbed)
	}{
		"expired certificate":        {"EXPIRED", func(b *testbed) { b.trust(k, "ca.pem") }},
		"another CA":                 {"TLS", func(b *testbed) { b.trust(k, "other-ca.pem") }},
		"another host name":          {"STRANGER", func(b *testbed) { b.trust(k, "ca.pem") }},
		"plain to TLS":               {"TLS", func(*testbed) {}},
		"TLS to plain":               {"ADMIN", func(b *testbed) { b.trust(k, "ca.pem") }},
		"no client certificate":      {"MTLS", func(b *testbed) { b.trust(k, "ca.pem") }},
		"client of another CA":       {"MTLS", func(b *testbed) { b.trust(k, "ca.pem"); b.useCertificate(k, "other-ca") }},
		"expired client certificate": {"MTLS", func(b *testbed) { b.trust(k, "ca.pem"); b.useCertificate(k, "expired-client") }},
		"wrong password by PLAIN":    {"SASL", func(b *testbed) { b.trust(k, "ca.pem"); b.loginWith("PLAIN", "dfinery", canary) }},
		"wrong password by SCRAM":    {"SASL", func(b *testbed) { b.trust(k, "ca.pem"); b.loginWith("SCRAM-SHA-256", "dfinery", canary) }},
		"unknown user":               {"SASL_PLAIN", func(b *testbed) { b.loginWith("SCRAM-SHA-512", "nobody", canary) }},
		"no login":                   {"SASL_PLAIN", func(*testbed) {}},
		"login to a listener without": {"TLS", func(b *testbed) {
			b.trust(k, "ca.pem")
			b.loginWith("PLAIN", "dfinery", canary)
		}},
		"wrong client secret": {"SASL_PLAIN", func(b *testbed) { b.loginWithToken(k, canary, claims("kafka", time.Hour)) }},
		"another audience":    {"SASL_PLAIN", func(b *testbed) { b.loginWithToken(k, k.password, claims("another", time.Hour)) }},
		"expired token":       {"SASL_PLAIN", func(b *testbed) { b.loginWithToken(k, k.password, claims("kafka", -time.Minute)) }},
		"no token server": {"SASL_PLAIN", func(b *testbed) {
			b.loginWithToken(k, canary, nil)
			b.environ["KAFKA_SASL_OAUTH_TOKEN_URL"] = "http://" + clustertest.ClosedPort(b.t)
		}},
	}
	for name, wrong := range wrongs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := k.testbed(t, wrong.listener, 10)
			wrong.set(b)
			began := time.Now()
			out, got := b.run("check", "--json")
			if took := time.Since(began); got.Code != 1 || took > time.Minute {
				t.Errorf("check: exit %d after %s:\n%s", got.Code, took, out)
			}
			golden.Compare(t, "testdata/secure/"+strings.ReplaceAll(name, " ", "-")+".txt", normalize(decodeCheck(t, out).failed()))
			began = time.Now()
			_, got = b.run("run", "--once")
			if took := time.Since(began); got.Code != 1 || took > 2*time.Minute {
				t.Errorf("run --once: exit %d after %s:\n%s", got.Code, took, got.Stderr)
			}
			if diff := cmp.Diff(0, len(b.api.Calls())); diff != "" {
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
