package cluster_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"dfinery-kafka/pipeline/cluster"
)

// TestGrant: one command for each resource, with arguments quoted for a shell.
func TestGrant(t *testing.T) {
	t.Parallel()
	c, err := cluster.New(cluster.Config{Brokers: []string{"kafka-1:9092", "kafka-2:9092"}})
	if err != nil {
		t.Fatal(err)
	}
	got := c.Grant("User:CN=O'Neill, Ltd",
		cluster.Right{Resource: cluster.TopicResource, Name: "rows", Operation: cluster.Write},
		cluster.Right{Resource: cluster.TransactionalResource, Name: "ledger.a b", Operation: cluster.Write},
		cluster.Right{Resource: cluster.TopicResource, Name: "rows", Operation: cluster.Read})
	want := []string{
		`kafka-acls.sh --bootstrap-server kafka-1:9092,kafka-2:9092 --add --allow-principal 'User:CN=O'\''Neill, Ltd' --operation Write --operation Read --topic rows`,
		`kafka-acls.sh --bootstrap-server kafka-1:9092,kafka-2:9092 --add --allow-principal 'User:CN=O'\''Neill, Ltd' --operation Write --transactional-id 'ledger.a b'`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
}

// TestAllowedOnANewCluster: a coordinator that is not available yet does not count as a missing
// right; it is waited for.
func TestAllowedOnANewCluster(t *testing.T) {
	t.Parallel()
	fake := embedded(t, kfake.NumBrokers(1))
	fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.EndTxn}, Err: kerr.NotCoordinator, Count: 2})
	fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.EndTxn}, Err: kerr.CoordinatorLoadInProgress, Count: 2})
	c := connect(t, cluster.Config{Brokers: fake.ListenAddrs()})
	got, err := c.Allowed(soon(t, 5*time.Second), cluster.Right{Resource: cluster.TransactionalResource, Name: "ledger.1", Operation: cluster.Write})
	if diff := cmp.Diff([]error{nil}, got); diff != "" || err != nil {
		t.Errorf("rights (-want +got): %v\n%s", err, diff)
	}
}
