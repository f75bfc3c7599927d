package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/cluster/clustertest"

	"github.com/twmb/franz-go/pkg/kfake"
)

const password = "pässwörd-that-must-not-leak"

func TestConnect(t *testing.T) {
	ca := newAuthority(t)
	secured := embedded(t, kfake.TLS(ca.server(t, "127.0.0.1")), kfake.EnableSASL(), kfake.Superuser("PLAIN", "app", password),
		kfake.Superuser("SCRAM-SHA-256", "app", password), kfake.Superuser("SCRAM-SHA-512", "app", password))
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		t.Run(mechanism, func(t *testing.T) {
			c := connect(t, cluster.Config{
				Brokers: secured.ListenAddrs(), TLS: &cluster.TLS{CAFile: ca.file},
				SASL: &cluster.SASL{Mechanism: mechanism, Username: "app", Password: fixed(password)},
			})
			if err := c.Ping(t.Context()); err != nil {
				t.Error(err)
			}
			if _, err := c.EnsureTopics(t.Context(), true, cluster.TopicSpec{Name: mechanism, Partitions: 1, ReplicationFactor: 1}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestConnectErrors(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	one := kfake.NumBrokers(1)
	secured := embedded(t, one, kfake.TLS(ca.server(t, "127.0.0.1"))).ListenAddrs()
	misnamed := embedded(t, one, kfake.TLS(ca.server(t, "192.0.2.1"))).ListenAddrs()
	authenticating := embedded(t, one, kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-256", "app", "another")).ListenAddrs()
	refusing := scripted(t, greeting, "\x00\x00\x00\x17\x00\x00\x00\x02\x00\x21\x00\x00\x00\x01\x00\x0bOAUTHBEARER") // handshake v1: error 33
	failing := scripted(t, greeting, "\x00\x00\x00\x0a\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00",                     // handshake v1: no error
		"\x00\x00\x00\x13\x00\x00\x00\x03\x00\x3a\x00\x07go away\x00\x00\x00\x00") // authenticate v0: error 58
	sasl := func(mechanism string) *cluster.SASL {
		return &cluster.SASL{Mechanism: mechanism, Username: "app", Password: fixed(password)}
	}
	for _, test := range []struct {
		name      string
		cfg       cluster.Config
		step      cluster.Step
		says      string
		retriable bool
	}{
		{"no such host", cluster.Config{Brokers: []string{"kafka.invalid:9092"}}, cluster.StepConnect, "check the host's name", true},
		{"refused", cluster.Config{Brokers: []string{clustertest.ClosedPort(t)}}, cluster.StepConnect, "nothing listens there", true},
		{"TLS to a port that ends it", cluster.Config{Brokers: scripted(t), TLS: &cluster.TLS{CAFile: ca.file}}, cluster.StepTLS, "expect plain connections?", true},
		{"TLS to a port that answers", cluster.Config{Brokers: scripted(t, greeting), TLS: &cluster.TLS{CAFile: ca.file}}, cluster.StepTLS, "expect plain connections?", false},
		{"plain to a TLS port", cluster.Config{Brokers: secured}, cluster.StepGreet, "expect TLS", true},
		{"plain to a TLS port that alerts", cluster.Config{Brokers: scripted(t, "\x15\x03\x03\x00\x02\x02\x46")}, cluster.StepGreet, "looks like TLS", false},
		{"not Kafka", cluster.Config{Brokers: scripted(t, "HTTP/1.1 400 Bad Request\r\n\r\n")}, cluster.StepGreet, "no listener of Kafka?", false},
		{"unknown CA", cluster.Config{Brokers: secured, TLS: &cluster.TLS{CAFile: other.file}}, cluster.StepTLS, "must hold the CA", false},
		{"the system's CAs", cluster.Config{Brokers: secured, TLS: &cluster.TLS{}}, cluster.StepTLS, "must hold the CA", false},
		{"another name", cluster.Config{Brokers: misnamed, TLS: &cluster.TLS{CAFile: ca.file}}, cluster.StepTLS, "a name of its certificate", false},
		{"no SASL where it is wanted", cluster.Config{Brokers: authenticating}, cluster.StepSASL, "ask for SASL?", true},
		{"wrong password", cluster.Config{Brokers: failing, SASL: sasl("PLAIN")}, cluster.StepSASL, "go away (check the user name, the password", false},
		{"wrong password and no answer", cluster.Config{Brokers: authenticating, SASL: sasl("SCRAM-SHA-256")}, cluster.StepSASL, "wrong user name, password", true},
		{"SASL where there is none", cluster.Config{Brokers: scripted(t, greeting, "\x00\x00\x00\x0a\x00\x00\x00\x02\x00\x22\x00\x00\x00\x00"), SASL: sasl("PLAIN")},
			cluster.StepSASL, "have no SASL?", false},
		{"no such mechanism", cluster.Config{Brokers: refusing, SASL: sasl("SCRAM-SHA-512")}, cluster.StepSASL, "offers OAUTHBEARER (choose a mechanism", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := connect(t, test.cfg)
			for call, err := range map[string]error{"Ping": c.Ping(soon(t, 5*time.Second)), "Topics": topicsError(soon(t, 5*time.Second), c)} {
				var got *cluster.ConnectError
				if !errors.As(err, &got) {
					t.Errorf("%s: %v", call, err)
					continue
				}
				if got.Broker != test.cfg.Brokers[0] || got.Step != test.step || !strings.Contains(err.Error(), test.says) {
					t.Errorf("%s: step %q: %v", call, got.Step, err)
				}
				if cluster.Retriable(err) != test.retriable {
					t.Errorf("%s: retriable is %v: %v", call, !test.retriable, err)
				}
				if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, password) {
					t.Errorf("%s: the error contains the password: %s", call, text)
				}
			}
		})
	}
}

func topicsError(ctx context.Context, c *cluster.Cluster) error {
	_, err := c.Topics(ctx, "events")
	return err
}

// TestPingTriesAll: Ping succeeds if one broker answers. If none does, its error names all.
func TestPingTriesAll(t *testing.T) {
	dead, alive := clustertest.ClosedPort(t), embedded(t, kfake.NumBrokers(1)).ListenAddrs()[0]
	if err := connect(t, cluster.Config{Brokers: []string{dead, alive}}).Ping(t.Context()); err != nil {
		t.Error(err)
	}
	other := clustertest.ClosedPort(t)
	err := connect(t, cluster.Config{Brokers: []string{dead, other}}).Ping(t.Context())
	if err == nil || !strings.Contains(err.Error(), dead) || !strings.Contains(err.Error(), other) {
		t.Errorf("neither answers: %v", err)
	}
}

const greeting = "\x00\x00\x00\x0a\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00" // ApiVersions v0: no error, no APIs

// scripted listens on a port. It sends one of the answers for each request on a connection, and
// then closes the connection.
func scripted(t *testing.T, answers ...string) []string {
	t.Helper()
	return serve(t, func(conn net.Conn) {
		defer conn.Close()
		request := make([]byte, 4<<10)
		for _, answer := range answers {
			conn.Read(request)
			io.WriteString(conn, answer)
		}
		conn.Read(request)
	})
}

// serve runs handle for each connection to the address that it returns.
func serve(t *testing.T, handle func(net.Conn)) []string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var connections sync.WaitGroup
	connections.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			connections.Go(func() { handle(conn) })
		}
	})
	t.Cleanup(func() { l.Close(); connections.Wait() })
	return []string{l.Addr().String()}
}

// TestConnectNeverHangs: with a broker that stops answering at any step of the connection, a call
// returns when its context ends.
func TestConnectNeverHangs(t *testing.T) {
	for name, first := range map[string]string{"before the first answer": "", "while authenticating": greeting} {
		t.Run(name, func(t *testing.T) {
			silent := serve(t, func(conn net.Conn) {
				io.WriteString(conn, first)
				io.Copy(io.Discard, conn)
				conn.Close()
			})
			c := connect(t, cluster.Config{
				Brokers: silent, SASL: &cluster.SASL{Mechanism: "PLAIN", Username: "app", Password: fixed(password)},
			})
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			began := time.Now()
			pinged, asked := c.Ping(ctx), topicsError(ctx, c)
			if pinged == nil || asked == nil || time.Since(began) > cluster.Patience/2 {
				t.Errorf("after %s: %v, %v", time.Since(began), pinged, asked)
			}
		})
	}
}

// TestRotation: files of certificates and passwords are read again for each connection.
func TestRotation(t *testing.T) {
	ca := newAuthority(t)
	fake := embedded(t, kfake.TLS(ca.server(t, "127.0.0.1")), kfake.EnableSASL(), kfake.Superuser("PLAIN", "app", password))
	caFile, passwordFile := writeFile(t, "ca.pem", read(t, newAuthority(t).file)), writeFile(t, "password", []byte("old"))
	c := connect(t, cluster.Config{Brokers: fake.ListenAddrs(), TLS: &cluster.TLS{CAFile: caFile},
		SASL: &cluster.SASL{Mechanism: "PLAIN", Username: "app", Password: func() (string, error) { return string(read(t, passwordFile)), nil }}})
	for _, turn := range []struct {
		file    string
		content []byte
		fails   cluster.Step // of Ping before the file has this content
	}{
		{caFile, read(t, ca.file), cluster.StepTLS},
		{passwordFile, []byte(password), cluster.StepSASL},
	} {
		var connectErr *cluster.ConnectError
		if err := c.Ping(t.Context()); !errors.As(err, &connectErr) || connectErr.Step != turn.fails {
			t.Fatalf("before the rotation: %v, want a failed %s", err, turn.fails)
		}
		if err := os.WriteFile(turn.file, turn.content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := c.Brokers(t.Context()); err != nil {
		t.Error(err)
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
