package e2e

import (
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/cmd/app"
	"dfinery-kafka/cmd/config"
	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/pipeline/cluster"
)

// injected has the variables that Kubernetes sets in every container, even without service links.
var injected = map[string]string{
	"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443", "KUBERNETES_SERVICE_PORT_HTTPS": "443", "HOSTNAME": "shop-7d9f",
	"KUBERNETES_PORT": "tcp://10.96.0.1:443", "KUBERNETES_PORT_443_TCP": "tcp://10.96.0.1:443", "KUBERNETES_PORT_443_TCP_ADDR": "10.96.0.1",
}

// TestChart_Environment: the program accepts every environment that the chart renders, without
// an unexpected warning, and the chart has a value for every variable.
func TestChart_Environment(t *testing.T) {
	t.Parallel()
	set := map[string]bool{}
	for name, m := range manifests(t) {
		if links := m.Pod.EnableServiceLinks; links == nil || *links {
			t.Errorf("%s: service links are on", name)
		}
		for _, c := range slices.Concat(m.Pod.InitContainers, m.Pod.Containers) {
			environ := m.environ(t, c, t.TempDir())
			maps.Copy(environ, injected)
			b := &testbed{t: t, environ: environ, program: binary}
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
		t.Errorf("variables that the chart has no value for (-want +got):\n%s", diff)
	}
}

// documented returns a variable's name in the documentation, for example STREAM_X_TOPIC for
// STREAM_EVENTS_TOPIC.
func documented(name string) string {
	if rest, ok := strings.CutPrefix(name, "STREAM_"); ok {
		_, field, _ := strings.Cut(rest, "_")
		return "STREAM_X_" + field
	}
	return name
}

// TestChart_Export runs exports with the environments of two releases of the chart, one after
// the other: settled days stay settled, and nothing is published again.
func TestChart_Export(t *testing.T) {
	t.Parallel()
	all := manifests(t)
	b := newTestbed(t, &exporttest.Server{Data: exporttest.Data{Seed: 1, RowsPerDay: 500, Odd: 0.1, Duplicates: 0.05}})
	own := b.environ
	install := func(name string) {
		m := all[name]
		c := m.Pod.Containers[0]
		b.environ = m.environ(t, c, t.TempDir())
		for _, where := range []string{"DFINERY_BASE_URL", "KAFKA_BROKERS", "STREAM_EVENTS_TOPIC", "DEAD_LETTER_TOPIC", "LEDGER_TOPIC", "ADMIN_ADDR"} {
			b.environ[where] = own[where]
		}
		b.environ["STREAM_EVENTS_START"] = "5"
		b.command(nil, append(c.Args, "--once")...)
	}
	settled := func() map[string]int {
		exports := map[string]int{}
		for _, d := range b.status().Streams[0].Days {
			if d.State == "settled" {
				exports[d.Day] = d.Exports
			}
		}
		return exports
	}

	install("minimal")
	b.compareEvents()
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

// TestChart_Strimzi compares the topics and rights in the chart's Strimzi objects with those
// that the program needs.
func TestChart_Strimzi(t *testing.T) {
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
		want := topic{spec.Name, spec.Partitions, map[string]string{"message.timestamp.type": "LogAppendTime"}} // EnsureTopics adds it
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
			t.Errorf("%+v is not a literal name", acl.Resource)
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
