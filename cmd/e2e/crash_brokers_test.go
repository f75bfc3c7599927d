package e2e

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// TestBrokers_Killed kills each broker in turn, including the controller, and then all of them
// for twenty seconds. The program does not end, and all rows are published once.
func TestBrokers_Killed(t *testing.T) {
	b := newThreeBrokers(t, 71)
	p := b.start("run")
	p.await(isOwner)
	for n := 1; n <= 3; n++ {
		b.sleep(time.Second)
		b.killBroker(n)
		b.sleep(3 * time.Second)
		b.startBroker(n)
		b.awaitInSync()
		p.expectAlive()
	}
	for n := 1; n <= 3; n++ {
		b.killBroker(n)
	}
	b.sleep(20 * time.Second)
	expectText(t, p.log(), "waiting for Kafka to accept records", "connection refused")
	for n := 1; n <= 3; n++ {
		b.startBroker(n)
	}
	b.awaitInSync()
	calls := len(b.api.Calls())
	b.await("three more calls", func() bool { p.expectAlive(); return len(b.api.Calls()) >= calls+3 })
	p.kill()
	b.finish()
}

// TestBrokers_BelowMinISR keeps one stream's topic below its min.insync.replicas for a minute:
// the other stream continues, the log gives the reason, and no row is missing afterwards.
func TestBrokers_BelowMinISR(t *testing.T) {
	b := newThreeBrokers(t, 72)
	b.environ["STREAMS"], b.environ["STREAM_OTHER_TOPIC"], b.environ["STREAM_OTHER_START"] = "events,other", b.prefix+"other", "1"
	b.environ["STREAM_OTHER_LOOKBACK_INTERVAL"], b.environ["STREAM_OTHER_POLL_INTERVAL"] = "1s", "1s"
	p := b.start("run")
	p.await(isOwner)
	b.setTopicConfig("events", "min.insync.replicas", "3")
	b.killBroker(2)
	began := time.Now()
	p.await("can't be fenced now, so they can't be written") // after the time after which a partition counts as stuck
	grew, owned := b.recordsIn("other"), p.count(isOwner)
	for time.Since(began) < time.Minute {
		p.expectAlive()
		b.sleep(time.Second)
	}
	if now := b.recordsIn("other"); now <= grew {
		t.Errorf("the other stream stays at %d records:\n%s", now, p.log())
	}
	// Each takeover interrupts the exports of the other stream.
	if now := p.count(isOwner); now > owned+2 {
		t.Errorf("%d takeovers while the topic waited for its replicas:\n%s", now-owned, p.log())
	}
	expectText(t, p.log(), "of its replicas are in sync, min.insync.replicas is 3")
	b.startBroker(2)
	b.awaitInSync()
	p.kill()
	b.finish()
	if got := b.published("other"); len(got) == 0 {
		t.Error("the other stream has published nothing")
	}
}

// TestBrokers_LeaderlessAtTakeover stops an owner with SIGSTOP while a partition has no leader,
// lets another instance take over, and continues the old one when the partition's broker is
// back. The broker refuses the records of the old one, or the new one finds them before it
// writes.
func TestBrokers_LeaderlessAtTakeover(t *testing.T) {
	b := newThreeBrokers(t, 73)
	b.administer(func(ctx context.Context, client *kadm.Client) error {
		one := "1"
		_, err := client.CreateTopic(ctx, 6, 1, map[string]*string{"min.insync.replicas": &one}, b.prefix+"events")
		return err
	})
	// The owner restarts when the broker is back: the standby must not take over because of that.
	b.set("OWNER_HEARTBEAT", "1s", "STANDBY_AFTER", "1m")
	for round := range 2 {
		old := b.start("run")
		old.await(isOwner)
		b.sleep(time.Second)
		b.killBroker(3)
		b.sleep(time.Duration(200*round) * time.Millisecond)
		old.signal(syscall.SIGSTOP)
		now := b.start("run")
		now.await("can't be fenced now, so they can't be written")
		now.await(isOwner)
		b.startBroker(3)
		old.signal(syscall.SIGCONT)
		old.await(isStandby)
		now.awaitMore(isOwner, 1)
		b.sleep(2 * time.Second)
		now.kill()
		old.kill()
		b.awaitInSync()
	}
	b.finish()
}
