package pipeline

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/ledger/store"
)

var errNoAnswer = errors.New("no answer")

// scriptedLedger is a ledger whose owner's record is a function of the time since the test began.
type scriptedLedger struct {
	began time.Time
	owner func(at time.Duration) (*ledger.Owner, error)
	loads int
}

func (l *scriptedLedger) Load(ctx context.Context) (*ledger.State, error) {
	l.loads++
	state := ledger.NewState(0)
	return state, l.CatchUp(ctx, state)
}

func (l *scriptedLedger) CatchUp(_ context.Context, state *ledger.State) error {
	owner, err := l.owner(time.Since(l.began))
	if err == nil {
		state.Owner = owner
	}
	return err
}

// newScriptedStandby returns a standby that reads the ledger every 5 seconds and takes over after
// 30 seconds without a heartbeat, and its log.
func newScriptedStandby(owner func(at time.Duration) (*ledger.Owner, error)) (*standby, *bytes.Buffer) {
	logged := new(bytes.Buffer)
	return &standby{
		service: "1234", instance: "B", ledger: &scriptedLedger{began: time.Now(), owner: owner}, after: 30 * time.Second, every: 5 * time.Second,
		show: func(*ledger.Owner) {}, log: slog.New(slog.NewTextHandler(logged, nil)),
	}, logged
}

// TestStandby_Wait: how long a standby waits, depending on the owner's heartbeats and on Kafka.
func TestStandby_Wait(t *testing.T) {
	const minute = time.Minute
	elsewhen := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC) // the owner's clock is wrong
	beats := func(instance string, at, until time.Duration) *ledger.Owner {
		return &ledger.Owner{Instance: instance, Beat: elsewhen.Add(min(at, until).Truncate(10 * time.Second))}
	}
	released := func(o *ledger.Owner, when bool) *ledger.Owner {
		o.Released = when
		return o
	}
	unreadable := &store.RecordError{Topic: "ledger", Key: "owner/1234", Err: errNoAnswer}
	for name, test := range map[string]struct {
		owner  func(at time.Duration) (*ledger.Owner, error)
		want   time.Duration // how long it waits
		err    error
		logged string
	}{
		"there is no owner": {
			func(time.Duration) (*ledger.Owner, error) { return nil, nil }, 30 * time.Second, nil, "the owner has been silent",
		},
		"the owner was silent before": {
			func(time.Duration) (*ledger.Owner, error) { return beats("A", 0, 0), nil }, 30 * time.Second, nil, "the owner has been silent",
		},
		"the owner sends heartbeats for a while": {
			func(at time.Duration) (*ledger.Owner, error) { return beats("A", at, 20*minute), nil }, 20*minute + 30*time.Second, nil, "the owner has been silent",
		},
		"the owner ends in order": {
			func(at time.Duration) (*ledger.Owner, error) {
				return released(beats("A", at, minute), at >= minute), nil
			}, minute, nil, "the owner has ended cleanly",
		},
		"this instance ended in order before": { // no owner has written a record since
			func(time.Duration) (*ledger.Owner, error) { return released(beats("B", 0, 0), true), nil }, 30 * time.Second, nil, "the owner has been silent",
		},
		"another one takes over from the owner": {
			func(at time.Duration) (*ledger.Owner, error) {
				if at < minute {
					return beats("A", at, minute), nil
				}
				return beats("C", at-minute, minute), nil
			}, 2*minute + 30*time.Second, nil, "the owner has been silent",
		},
		"Kafka does not answer: that does not count as silence of the owner": {
			func(at time.Duration) (*ledger.Owner, error) {
				if at > 0 && at < 10*minute {
					return nil, errNoAnswer
				}
				return beats("A", 0, 0), nil
			}, 10*minute - 5*time.Second + 30*time.Second, nil, "standby can't read the ledger",
		},
		"Kafka does not answer from the start": {
			func(at time.Duration) (*ledger.Owner, error) {
				if at < minute {
					return nil, errNoAnswer
				}
				return beats("A", 0, 0), nil
			}, minute + 30*time.Second, nil, "standby can't read the ledger",
		},
		"the ledger can't be read at the start": {
			func(time.Duration) (*ledger.Owner, error) { return nil, unreadable }, 0, unreadable, "standby: another instance owns the service",
		},
		"the ledger can't be read later": {
			func(at time.Duration) (*ledger.Owner, error) {
				if at > minute {
					return nil, unreadable
				}
				return beats("A", at, minute), nil
			}, minute + 5*time.Second, unreadable, "standby: another instance owns the service",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, logged := newScriptedStandby(test.owner)
				began := time.Now()
				if err := b.wait(t.Context(), errors.New("fenced")); !errors.Is(err, test.err) {
					t.Errorf("error %v, want %v", err, test.err)
				}
				if got := time.Since(began); got != test.want {
					t.Errorf("it waits for %s, want %s", got, test.want)
				}
				if !strings.Contains(logged.String(), test.logged) {
					t.Errorf("the log lacks %q:\n%s", test.logged, logged)
				}
			})
		})
	}
}

// TestStandby_Stopped: a standby that is stopped ends at once, even if Kafka does not answer.
func TestStandby_Stopped(t *testing.T) {
	for name, err := range map[string]error{"Kafka answers": nil, "Kafka does not answer": errNoAnswer} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, _ := newScriptedStandby(func(at time.Duration) (*ledger.Owner, error) {
					return &ledger.Owner{Instance: "A", Beat: time.Now().Add(at)}, err
				})
				ctx, stop := context.WithTimeout(t.Context(), 101*time.Second)
				defer stop()
				began := time.Now()
				if err := b.wait(ctx, errors.New("fenced")); err != nil || time.Since(began) != 101*time.Second {
					t.Errorf("it ends after %s: %v", time.Since(began), err)
				}
			})
		})
	}
}

// TestStandby_Shows: the view names the owner as soon as it is known.
func TestStandby_Shows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := newScriptedStandby(func(at time.Duration) (*ledger.Owner, error) {
			if at < 10*time.Second {
				return nil, errNoAnswer
			}
			return &ledger.Owner{Instance: "A", Released: at > 20*time.Second}, nil
		})
		v := &view{service: "1234"}
		var shown []string
		b.show = func(owner *ledger.Owner) {
			v.showStandby(owner)
			if last := v.Status().Reasons[0]; len(shown) == 0 || shown[len(shown)-1] != last {
				shown = append(shown, last)
			}
		}
		if err := b.wait(t.Context(), errors.New("fenced")); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"standby: another instance owns the service", "standby: A owns the service"}, shown); diff != "" {
			t.Errorf("shown (-want +got):\n%s", diff)
		}
		if st := v.Status(); st.Role != RoleStandby || st.Owner == nil || len(st.Reasons) == 0 {
			t.Errorf("status %+v, want a standby of A", st)
		}
	})
}
