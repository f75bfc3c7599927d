package cluster_test

import (
	"testing"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/cluster/clustertest"

	"github.com/twmb/franz-go/pkg/kfake"
)

// TestContact_Certificate connects to each configured broker, and returns the certificates of
// those that use TLS.
func TestContact_Certificate(t *testing.T) {
	ca := newAuthority(t)
	secured := embedded(t, kfake.NumBrokers(1), kfake.TLS(ca.server(t, "127.0.0.1"))).ListenAddrs()
	closed := clustertest.ClosedPort(t)
	c := connect(t, cluster.Config{Brokers: append(secured, closed), TLS: &cluster.TLS{CAFile: ca.file}})
	contacts := c.Contact(t.Context())
	if len(contacts) != 2 || contacts[0].Addr != secured[0] || contacts[1].Addr != closed {
		t.Fatalf("contacts: %+v", contacts)
	}
	if reached := contacts[0]; reached.Err != nil || reached.TLS == nil || len(reached.TLS.PeerCertificates) != 1 {
		t.Errorf("a broker with TLS: %v, its certificate is not known: %v", reached.Err, reached.TLS)
	}
	if contacts[1].Err == nil || contacts[1].TLS != nil {
		t.Errorf("a port where nothing listens: %+v", contacts[1])
	}
}
