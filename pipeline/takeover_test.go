package pipeline

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/ledger/store"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/recordbatch"
)

// newTestTakeover returns the takeover of an instance with that name. owner returns the former
// owner's record by the time since the test began.
func newTestTakeover(b *testbed, instance string, owner func(at time.Duration) (*ledger.Owner, error)) *takeover {
	c := b.Config
	c.Instance = instance
	v := &view{service: c.ID}
	t := newTakeover(&c, v, newTopicCreator(&c), newStandby(&c, v))
	t.standby.ledger = &scriptedLedger{began: time.Now(), owner: owner}
	return t
}

// TestTakeover_Take: after a takeover all partitions of the service are fenced, and only the newest
// owner can write.
func TestTakeover_Take(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		first := newTestTakeover(b, "A", nil)
		former, err := first.take(t.Context())
		b.must(err)
		defer former.session.Close()
		var got []string
		for _, p := range former.partitions.all {
			got = append(got, p.Topic)
			if !former.session.Fenced(p) || former.topics[p.Topic].Err != nil {
				t.Errorf("%v can't be written", p)
			}
		}
		if diff := cmp.Diff([]string{"ledger", "ledger.rows", "dead", "events", "users"}, got); diff != "" {
			t.Errorf("partitions (-want +got):\n%s", diff)
		}
		if former.before.Owner != nil || former.before.Checkpoint != nil {
			t.Error("the ledger of a new service is not empty")
		}
		second := newTestTakeover(b, "B", nil)
		taken, err := second.take(t.Context())
		b.must(err)
		defer taken.session.Close()
		if is, was := taken.session.Identity(), former.session.Identity(); is.ID != was.ID || is.Epoch <= was.Epoch {
			t.Errorf("the second producer is %v, the first %v: want the same id and a higher epoch", is, was)
		}
		// The former owner continues with its producer identity, and gets the error that it is
		// fenced.
		if _, err := first.take(t.Context()); !errors.Is(err, producer.ErrFenced) {
			t.Errorf("error %v, want %v", err, producer.ErrFenced)
		}
		if first.identity != former.session.Identity() {
			t.Errorf("its identity is %v, want %v", first.identity, former.session.Identity())
		}
		// After it was a standby it takes over like any instance.
		first.fenced()
		again, err := first.take(t.Context())
		b.must(err)
		again.session.Close()
		if diff := cmp.Diff([]string{"fenced", "fenced", "fenced"}, b.steps); diff != "" {
			t.Errorf("steps (-want +got):\n%s", diff)
		}
	})
}

// TestTakeover_GoesOn: an instance whose ownership has ended, but not because of another instance,
// takes over again with its producer identity, even after a failed attempt.
func TestTakeover_GoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		o := newTestTakeover(b, "A", nil)
		taken, err := o.take(t.Context())
		b.must(err)
		b.must(taken.session.Renew(t.Context(), taken.partitions.all))
		o.ended(taken.session.Identity())
		taken.session.Close()
		letters := o.partitions
		o.partitions = func(topics map[string]cluster.Topic, state int) *partitions {
			p := letters(topics, state)
			p.letters = append(p.letters, recordbatch.TopicPartition{Topic: "dead", Partition: 7})
			p.all = slices.Insert(p.all, 2+len(p.letters)-1, p.letters[len(p.letters)-1])
			return p
		}
		before := o.identity
		_, err = o.take(t.Context())
		if err == nil || !strings.Contains(err.Error(), "take over service 1234: topic dead partition 7 can't be fenced now") {
			t.Errorf("error %v, want that the partition does not exist", err)
		}
		if o.identity.ID != before.ID || o.identity.Epoch <= before.Epoch {
			t.Errorf("its identity is %v after %v: the broker refuses older epochs", o.identity, before)
		}
		o.partitions = letters
		taken, err = o.take(t.Context())
		b.must(err)
		taken.session.Close()
	})
}

// TestTakeover_AwaitUnfenced: a takeover waits only for a former owner that is not fenced, because
// it has another producer id.
func TestTakeover_AwaitUnfenced(t *testing.T) {
	as := producer.Identity{ID: 7, Epoch: 1}
	for name, test := range map[string]struct {
		owner       *ledger.Owner
		atLeastOnce bool
		want        time.Duration
	}{
		"there was no owner":          {nil, false, 0},
		"the same producer":           {&ledger.Owner{Instance: "A", ProducerID: 7}, false, 0},
		"another producer":            {&ledger.Owner{Instance: "A", ProducerID: 8}, false, 30 * time.Second},
		"another producer, released":  {&ledger.Owner{Instance: "A", ProducerID: 8, Released: true}, false, 0},
		"another one, without fences": {&ledger.Owner{Instance: "A", ProducerID: 8}, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				standby, _ := newScriptedStandby(func(time.Duration) (*ledger.Owner, error) { return test.owner, nil })
				o := &takeover{standby: standby, log: standby.log, atLeastOnce: test.atLeastOnce}
				began := time.Now()
				if err := o.awaitUnfenced(t.Context(), as, &ledger.State{Owner: test.owner}); err != nil || time.Since(began) != test.want {
					t.Errorf("it waits for %s, want %s: %v", time.Since(began), test.want, err)
				}
			})
		})
	}
}

// TestTakeover_UnfencedOwnerLives: while a former owner that is not fenced may be running, this
// instance does not keep its producer identity: after an error the next takeover fences and
// waits again.
func TestTakeover_UnfencedOwnerLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		former := &ledger.Owner{Instance: "Z", ProducerID: 1 << 40}
		o := b.takeOver()
		b.must(o.writer.Owner(former))
		b.must(o.session.Flush(t.Context()))
		next := newTestTakeover(b, "B", func(at time.Duration) (*ledger.Owner, error) {
			if at > time.Minute {
				return nil, &store.RecordError{Topic: "ledger", Key: "owner/1234", Err: errNoAnswer}
			}
			former.Beat = time.Now()
			return former, nil
		})
		for range 2 {
			_, err := next.take(t.Context())
			if _, unreadable := errors.AsType[*store.RecordError](err); !unreadable || next.identity != producer.NoIdentity() {
				t.Errorf("error %v, identity %v: want an error of the ledger and no identity", err, next.identity)
			}
		}
		b.expectLogged(2, "the broker assigned another producer id")
	})
}

// TestTakeover_AtLeastOnce: with DELIVERY=at-least-once no instance is fenced, and the log says so.
func TestTakeover_AtLeastOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		b.AtLeastOnce = true
		former := b.takeOver()
		o := b.takeOver()
		if former.session.Identity().ID == o.session.Identity().ID {
			t.Error("two instances have the same producer id")
		}
		b.must(former.heartbeat.beat(t.Context()))
		b.must(o.heartbeat.beat(t.Context()))
		b.expectLogged(2, "DELIVERY=at-least-once: no instance is fenced")
	})
}
