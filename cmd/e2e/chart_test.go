package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/cmd/config"
	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// selfSigned are a certificate and its key in PEM.
func selfSigned(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}))
}

// injected is what Kubernetes sets in every container even without service links.
var injected = map[string]string{
	"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443", "KUBERNETES_SERVICE_PORT_HTTPS": "443", "HOSTNAME": "shop-7d9f",
	"KUBERNETES_PORT": "tcp://10.96.0.1:443", "KUBERNETES_PORT_443_TCP": "tcp://10.96.0.1:443", "KUBERNETES_PORT_443_TCP_ADDR": "10.96.0.1",
}

// TestChartEnvironment: the program takes every environment that the chart renders, without a fault and without a warning that is
// not meant, and all of its variables can be set by values.
func TestChartEnvironment(t *testing.T) {
	t.Parallel()
	set := map[string]bool{}
	for name, m := range manifests(t) {
		if links := m.Pod.EnableServiceLinks; links == nil || *links {
			t.Errorf("%s: service links are on", name)
		}
		for _, c := range slices.Concat(m.Pod.InitContainers, m.Pod.Containers) {
			environ := m.environ(t, c, t.TempDir())
			maps.Copy(environ, injected)
			b := &bench{t: t, environ: environ}
			stdout, got := b.run("config", "--json")
			if diff := cmp.Diff(result{}, got); diff != "" {
				t.Errorf("%s %v (-want +got):\n%s", name, c.Args, diff)
			}
			var report config.Report
			decode(t, []byte(stdout), &report)
			for _, v := range report.Variables {
				if v.From == "environment" || strings.HasSuffix(v.From, "_FILE") {
					set[documented(v.Name)] = true
				}
			}
		}
	}
	var missing []string
	for line := range strings.Lines(config.Markdown()) {
		if cells := strings.Split(line, "`"); len(cells) > 1 && !set[documented(cells[1])] {
			missing = append(missing, cells[1])
		}
	}
	if diff := cmp.Diff([]string(nil), missing); diff != "" {
		t.Errorf("variables that no value stands for (-want +got):\n%s", diff)
	}
}

// documented is a variable's name in the documentation: STREAM_X_TOPIC for STREAM_EVENTS_TOPIC.
func documented(name string) string {
	if rest, ok := strings.CutPrefix(name, "STREAM_"); ok {
		_, field, _ := strings.Cut(rest, "_")
		return "STREAM_X_" + field
	}
	return name
}

// TestChartExport runs whole exports with the environments of two releases, the second in the first one's place: what was settled
// stays settled, and nothing is published again.
func TestChartExport(t *testing.T) {
	t.Parallel()
	all := manifests(t)
	b := newBench(t, &exporttest.Server{Data: exporttest.Data{Seed: 1, RowsPerDay: 500, Odd: 0.1, Duplicates: 0.05}})
	own := b.environ
	install := func(name string) {
		m := all[name]
		c := m.Pod.Containers[0]
		b.environ = m.environ(t, c, t.TempDir())
		for _, where := range []string{"DFINERY_BASE_URL", "KAFKA_BROKERS", "STREAM_EVENTS_TOPIC", "DEAD_LETTER_TOPIC", "LEDGER_TOPIC", "ADMIN_ADDR"} {
			b.environ[where] = own[where]
		}
		b.environ["STREAM_EVENTS_START"] = "5"
		if _, got := b.run(append(c.Args, "--once")...); got.Code != 0 {
			t.Fatalf("%s: exit %d:\n%s", name, got.Code, got.Stderr)
		}
	}
	settled := func() map[string]int {
		stdout, got := b.run("status", "--json")
		if got.Code != 0 {
			t.Fatalf("status: exit %d:\n%s", got.Code, got.Stderr)
		}
		var status struct {
			Streams []struct {
				Days []struct {
					Day, State string
					Exports    int
				}
			}
		}
		decode(t, []byte(stdout), &status)
		exports := map[string]int{}
		for _, d := range status.Streams[0].Days {
			if d.State == "settled" {
				exports[d.Day] = d.Exports
			}
		}
		return exports
	}

	install("minimal")
	compare(t, b.served(schema.Event), b.published("events"))
	before, records := settled(), len(b.published("events"))
	if len(before) != 3 {
		t.Errorf("settled days and their exports: %v", before)
	}
	install("extras")
	if diff := cmp.Diff(before, settled()); diff != "" {
		t.Errorf("settled days and their exports (-before +after):\n%s", diff)
	}
	if got := len(b.published("events")); got != records {
		t.Errorf("%d records after the upgrade, %d before", got, records)
	}
}
