package cluster_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/pipeline/cluster"
)

// TestGrant writes one command for each resource, whose words a shell leaves whole.
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
