package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/pipeline/cluster"
)

// TestKafka_ForeignTransactions writes committed and aborted transactions of other programs among
// the rows after the checkpoint. Recovery must not take their records and markers for gaps,
// losses or rows of the connector.
func TestKafka_ForeignTransactions(t *testing.T) {
	t.Parallel()
	b := newLateRows(t)
	b.crashBeforeCheckpoint()
	rows := len(b.published("events"))
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(b.brokers, ",")...), kgo.TransactionalID(b.prefix+"other"),
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.DefaultProduceTopic(b.prefix+"events"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for n := range 6 {
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		for p := range partitions {
			if err := client.ProduceSync(t.Context(), &kgo.Record{Partition: int32(p), Key: fmt.Append(nil, "other ", n), Value: []byte("{}")}).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
		if err := client.EndTransaction(t.Context(), kgo.TransactionEndTry(n%2 == 0)); err != nil {
			t.Fatal(err)
		}
	}
	log := b.runOnce(0)
	for _, alarm := range []string{"the log lacks records", "lost"} {
		if strings.Contains(log, alarm) {
			t.Errorf("the log reports a loss, but nothing was lost:\n%s", log)
		}
	}
	expectNoLoss(t, log)
	expectText(t, log, fmt.Sprintf(`"msg":"recovered rows that were published after the last checkpoint","rows":%d`, rows))
	b.checkedDays()
}

// TestKafka_JavaPartitioner writes the same keys with Kafka's console producer, and compares
// their partitions.
func TestKafka_JavaPartitioner(t *testing.T) {
	t.Parallel()
	if os.Getenv("KAFKA_TEST_BROKERS") == "" {
		t.Skip("KAFKA_TEST_BROKERS is not set: no real Kafka to test with")
	}
	java, err := exec.LookPath("java")
	if err != nil {
		t.Skip("no java: ", err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skip(err)
	}
	libs, err := filepath.Glob(filepath.Join(cache, "dfinery-kafka", "kafka-*"))
	if err != nil || len(libs) == 0 {
		t.Skip("deploy/kafka-up.sh has not downloaded Kafka's tools")
	}
	b := newTestbed(t, &exporttest.Server{Data: exporttest.Data{Seed: 81, RowsPerDay: 100}})
	b.set("KAFKA_PARTITIONS", "6")
	b.runOnce(0)
	want := map[string]int32{}
	for _, m := range b.consume("events", kgo.ReadUncommitted()) {
		want[m.Key] = m.Partition
	}
	for _, key := range []string{"a", "0", "김철수", "naïve", "🙂", "Ω≈ç√", strings.Repeat("가", 100), "with space", "日本\u2028語"} {
		want[key] = int32(cluster.PartitionOf([]byte(key), 6))
	}
	if len(want) < 20 {
		t.Fatalf("the program has published only the keys %v", want)
	}

	kafka, err := cluster.New(cluster.Config{Brokers: strings.Split(b.brokers, ","), Topics: []string{b.prefix + "java"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kafka.Close)
	if _, err := kafka.EnsureTopics(t.Context(), true, cluster.TopicSpec{Name: b.prefix + "java", Partitions: 6, ReplicationFactor: -1}); err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	for key := range want {
		fmt.Fprintf(&lines, "%s\tvalue\n", key)
	}
	cmd := exec.CommandContext(t.Context(), java, "-Xmx128m", "-cp", filepath.Join(slices.Max(libs), "*"), "org.apache.kafka.tools.ConsoleProducer",
		"--bootstrap-server", b.brokers, "--topic", b.prefix+"java", "--property", "parse.key=true")
	cmd.Stdin = strings.NewReader(lines.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("adminClient producer: %v\n%s", err, out)
	}
	got := map[string]int32{}
	for _, m := range b.consume("java", kgo.ReadUncommitted()) {
		got[m.Key] = m.Partition
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("partitions (-connector +Java):\n%s", diff)
	}
}
