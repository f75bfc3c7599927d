package cluster_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dfinery-kafka/pipeline/cluster"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// embedded starts a Kafka in this process.
func embedded(t *testing.T, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	fake, err := kfake.NewCluster(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	return fake
}

// onEachKafka runs test against an embedded Kafka and against the real one that
// KAFKA_TEST_BROKERS names.
func onEachKafka(t *testing.T, test func(t *testing.T, brokers []string)) {
	t.Run("embedded", func(t *testing.T) { test(t, embedded(t).ListenAddrs()) })
	t.Run("real", func(t *testing.T) {
		brokers := os.Getenv("KAFKA_TEST_BROKERS")
		if brokers == "" {
			t.Skip("KAFKA_TEST_BROKERS is not set: no real Kafka to test with")
		}
		test(t, strings.Split(brokers, ","))
	})
}

func connect(t *testing.T, cfg cluster.Config) *cluster.Cluster {
	t.Helper()
	c, err := cluster.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// topicName returns a unique name, so that tests can be repeated on a shared Kafka.
func topicName(t *testing.T) string {
	name := strings.NewReplacer("/", ".", "_", "-", "#", "-").Replace(t.Name())
	return fmt.Sprintf("%s.%d", name, time.Now().UnixNano())
}

func ensure(t *testing.T, c *cluster.Cluster, spec cluster.TopicSpec) string {
	t.Helper()
	if _, err := c.EnsureTopics(t.Context(), true, spec); err != nil {
		t.Fatal(err)
	}
	return spec.Name
}

// produce writes records in one batch with franz-go.
func produce(t *testing.T, brokers []string, opts []kgo.Opt, records ...*kgo.Record) {
	t.Helper()
	opts = append([]kgo.Opt{
		kgo.SeedBrokers(brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(5 * time.Millisecond),
	}, opts...)
	client, err := kgo.NewClient(opts...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// soon returns a context for a call that must not hang.
func soon(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// authority is a certificate authority.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string // its certificate
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{}
	a.cert, a.key = a.certificate(t, x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	a.file = writePEM(t, "ca.pem", "CERTIFICATE", a.cert.Raw)
	return a
}

func (a *authority) certificate(t *testing.T, template x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = &template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

// server returns a broker's TLS configuration with a certificate for one IP address.
func (a *authority) server(t *testing.T, ip string) *tls.Config {
	t.Helper()
	cert, key := a.certificate(t, x509.Certificate{IPAddresses: []net.IP{net.ParseIP(ip)}})
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key}}}
}

// client writes a client's certificate and key and returns their files.
func (a *authority) client(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	cert, key := a.certificate(t, x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return writePEM(t, "client.pem", "CERTIFICATE", cert.Raw), writePEM(t, "client.key", "EC PRIVATE KEY", der)
}

func writePEM(t *testing.T, name, kind string, der []byte) string {
	t.Helper()
	return writeFile(t, name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func writeFile(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
