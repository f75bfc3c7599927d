package e2e

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// tightDir returns the directory in KAFKA_TEST_TIGHT: that of a deploy/kafka-up.sh of one node on
// a separate small file system, which a test fills. KAFKA_TEST_TIGHT_BROKERS is its address.
func tightDir(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("KAFKA_TEST_TIGHT")
	if dir == "" {
		t.Skip("needs the directory of a deploy/kafka-up.sh on a small file system in KAFKA_TEST_TIGHT")
	}
	return dir
}

func newTight(t *testing.T, rows int) *testbed {
	t.Helper()
	return newTestbedOn(t, &exporttest.Server{
		Limits: exporttest.Limits{PerHour: -1},
		Data:   exporttest.Data{Seed: 29, RowsPerDay: rows, Duplicates: 0.02},
	}, os.Getenv("KAFKA_TEST_TIGHT_BROKERS"))
}

// TestKafka_Throttled: a client quota slows the program down. The program logs it, and no row is
// lost or published twice.
func TestKafka_Throttled(t *testing.T) {
	tightDir(t)
	b := newTight(t, 4000)
	b.set("KAFKA_COMPRESSION", "none")
	quota := func(op kadm.AlterClientQuotaOp) {
		op.Key = "producer_byte_rate"
		name := "dfinery-kafka"
		b.administer(func(ctx context.Context, client *kadm.Client) error {
			answers, err := client.AlterClientQuotas(ctx, []kadm.AlterClientQuotaEntry{{
				Entity: kadm.ClientQuotaEntity{{Type: "client-id", Name: &name}}, Ops: []kadm.AlterClientQuotaOp{op},
			}})
			if err == nil {
				err = answers[0].Err
			}
			return err
		})
	}
	quota(kadm.AlterClientQuotaOp{Value: 512 << 10})
	defer quota(kadm.AlterClientQuotaOp{Remove: true})
	log := b.runOnce(0)
	b.compareEvents()
	expectText(t, log, "its quota is exceeded")
}

// TestKafka_FullDisk fills the disk of a broker, which stops. The program waits until there is
// space and the broker is started again: no row is lost or published twice.
func TestKafka_FullDisk(t *testing.T) {
	dir := tightDir(t)
	b := newTight(t, 20_000) // 45 MiB
	b.unlimited()
	b.pollEvery("1h")
	b.set("KAFKA_COMPRESSION", "none")
	filler := filepath.Join(dir, "filler")
	fill(t, filler, 16<<20)
	p := b.start("run")
	pid := strings.TrimSpace(readFile(t, filepath.Join(dir, "1", "pid")))
	b.await("the broker stopped for its full disk", func() bool { return exec.Command("kill", "-0", pid).Run() != nil })
	p.expectAlive()
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(filepath.Join(dir, "1", "start")).CombinedOutput(); err != nil {
		t.Fatalf("start the broker: %v: %s", err, out)
	}
	b.await("the broker is back", func() bool {
		return b.tryClient(func(ctx context.Context, client *kgo.Client) error { return client.Ping(ctx) }) == nil
	})
	b.await("every row published", func() bool { return len(b.served(schema.Event)) == 3*20_000 && len(b.published("events")) == 3*20_000 })
	b.compareEvents()
	p.kill()
}

// fill writes a file until only left bytes of the file system are free.
func fill(t *testing.T, path string, left int64) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	size, block := int64(0), make([]byte, 64<<10)
	for err == nil {
		var n int
		n, err = file.Write(block)
		size += int64(n)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if err := file.Truncate(size - left); err != nil {
		t.Fatal(err)
	}
}
