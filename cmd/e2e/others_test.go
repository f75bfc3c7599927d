package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestOthersInTheTail: transactions of other writers, committed and aborted, stand among our rows behind the checkpoint, with their
// markers. None of that is taken for a hole, a loss or a row of ours.
func TestOthersInTheTail(t *testing.T) {
	t.Parallel()
	b := lateBench(t)
	b.leaveTail()
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
		for p := range 6 {
			if err := client.ProduceSync(t.Context(), &kgo.Record{Partition: int32(p), Key: fmt.Append(nil, "other ", n), Value: []byte("{}")}).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
		if err := client.EndTransaction(t.Context(), kgo.TransactionEndTry(n%2 == 0)); err != nil {
			t.Fatal(err)
		}
	}
	log := b.once(0)
	for _, alarm := range []string{"the log lacks records", "lost"} {
		if strings.Contains(log, alarm) {
			t.Errorf("a false alarm:\n%s", log)
		}
	}
	noAlarm(t, log)
	expect(t, log, fmt.Sprintf(`"msg":"restored rows that were published after the last checkpoint","rows":%d`, rows))
	b.known()
}
