package e2e

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/cmd/app"
	"dfinery-kafka/cmd/config"
	"dfinery-kafka/pipeline/cluster"
)

// TestChartStrimzi: the topics and rights that the chart asks Strimzi for are those that the program needs, and no others.
func TestChartStrimzi(t *testing.T) {
	m, ok := manifests(t)["strimzi"]
	if !ok || len(m.Users) != 1 {
		t.Fatal("no values with a KafkaUser")
	}
	for name, value := range m.environ(t, m.Pod.Containers[0], t.TempDir()) {
		t.Setenv(name, value)
	}
	c, _, err := config.Load()
	if err != nil {
		t.Fatal(err)
	}
	a, err := app.New(c, app.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()

	type topic struct {
		Name       string
		Partitions int
		Configs    map[string]string
	}
	var wanted, declared []topic
	for _, spec := range a.Service.TopicSpecs() {
		want := topic{spec.Name, spec.Partitions, map[string]string{"message.timestamp.type": "LogAppendTime"}} // which EnsureTopics adds
		for name, value := range spec.Configs {
			want.Configs[name] = value
		}
		wanted = append(wanted, want)
	}
	for _, k := range m.Topics {
		got := topic{k.TopicName, k.Partitions, map[string]string{}}
		for name, value := range k.Config {
			got.Configs[name] = strings.Trim(string(value), `"`)
		}
		declared = append(declared, got)
	}
	byName := cmp.Transformer("byName", func(list []topic) map[string]topic {
		names := map[string]topic{}
		for _, t := range list {
			names[t.Name] = t
		}
		return names
	})
	if diff := cmp.Diff(wanted, declared, byName); diff != "" {
		t.Errorf("topics (-the program's +the chart's):\n%s", diff)
	}

	needed, granted := map[string]bool{}, map[string]bool{}
	for _, r := range a.Service.Rights() {
		needed[r.String()] = true
	}
	kinds := map[string]cluster.Resource{"topic": cluster.TopicResource, "transactionalId": cluster.TransactionalResource}
	for _, acl := range m.Users[0].Authorization.ACLs {
		if acl.Resource.PatternType != "literal" {
			t.Errorf("%+v is no literal name", acl.Resource)
		}
		for _, op := range acl.Operations {
			right := cluster.Right{Resource: kinds[acl.Resource.Type], Name: acl.Resource.Name, Operation: cluster.Operation(op)}
			granted[right.String()] = true
		}
	}
	if diff := cmp.Diff(needed, granted); diff != "" {
		t.Errorf("rights (-needed +granted):\n%s", diff)
	}
}
