package e2e

import (
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/connector/exporttest"
)

// expiring is the variable with the addresses of brokers that expire producers and transactional
// ids after seconds instead of days:
//
//	transactional.id.expiration.ms=3000
//	transaction.remove.expired.transaction.cleanup.interval.ms=500
//	producer.id.expiration.ms=3000
//	producer.id.expiration.check.interval.ms=500
//
// in KAFKA_PROPERTIES of deploy/kafka-up.sh.
const expiring = "KAFKA_TEST_EXPIRING"

// duplicatesAfterStop stops an owner with SIGSTOP during an export until the brokers have
// expired its producer, while another instance takes over, and continues it. It returns how
// many records are in the topic twice.
func duplicatesAfterStop(t *testing.T, renewal string) int {
	named := os.Getenv(expiring)
	if named == "" {
		t.Skip("needs a real Kafka with short expirations, named by " + expiring)
	}
	t.Setenv("KAFKA_TEST_BROKERS", named)
	b := newTestbed(t, &exporttest.Server{
		Limits: exporttest.Limits{PerHour: -1, AtOnce: -1}, Data: exporttest.Data{Seed: 12, RowsPerDay: 8000},
		Faults: func(c exporttest.Call) *exporttest.Fault {
			if c.N <= 3 {
				return &exporttest.Fault{Drip: 16 << 10, DripEvery: 20 * time.Millisecond}
			}
			return nil
		},
	})
	b.unlimited()
	// The first write of the stopped instance must be of rows: a heartbeat would be refused and
	// end it.
	b.environ["FENCE_RENEWAL"], b.environ["OWNER_HEARTBEAT"], b.environ["STANDBY_AFTER"], b.environ["CHECKPOINT_INTERVAL"] = renewal, "10m", "20m", "1h"
	b.pollEvery("1h")
	first := b.start("run")
	first.await(isOwner)
	time.Sleep(900 * time.Millisecond)
	first.signal(syscall.SIGSTOP)
	second := b.start("run")
	second.await(isOwner)
	time.Sleep(10 * time.Second) // long enough for the second instance to finish and for the brokers' expirations
	first.signal(syscall.SIGCONT)
	time.Sleep(3 * time.Second)
	first.kill()
	second.kill()
	seen, twice := map[string]bool{}, 0
	for _, m := range b.consume("events", kgo.ReadUncommitted()) {
		if seen[m.Value] {
			twice++
		}
		seen[m.Value] = true
	}
	if twice == 0 {
		b.finish()
	}
	return twice
}

// TestFence_KeptByRenewal: an owner that was stopped for longer than the brokers' expirations
// can't write, because the new owner renews the fence.
func TestFence_KeptByRenewal(t *testing.T) {
	if n := duplicatesAfterStop(t, "500ms"); n > 0 {
		t.Errorf("%d records are in the topic twice", n)
	}
}

// TestFence_ForgottenWithoutRenewal: without the renewal the brokers expire the producer, and the
// instance that was stopped writes. This shows that TestFence_KeptByRenewal tests the renewal.
func TestFence_ForgottenWithoutRenewal(t *testing.T) {
	if n := duplicatesAfterStop(t, "12h"); n == 0 {
		t.Error("nothing is published twice without a renewal: TestFence_KeptByRenewal tests nothing")
	}
}
