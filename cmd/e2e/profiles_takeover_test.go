package e2e

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestProfiles_TakeoverMidSnapshot: another instance takes over in the middle of an owner's
// snapshot, whose second half is outdated. The former owner keeps running, or is stopped with
// SIGSTOP until the newer one has published and deleted profiles. Nothing outdated is published,
// and no profile is deleted that was not absent twice.
func TestProfiles_TakeoverMidSnapshot(t *testing.T) {
	t.Parallel()
	b, source := newUsers(t, 40)
	b.set("STREAM_USERS_POLL_INTERVAL", "50ms", "STREAM_USERS_DELETE_MOST", "50%", "OWNER_HEARTBEAT", "1s", "STANDBY_AFTER", "1m")
	model, tail, exports := newProfileModel(t, 0, 0.5), map[int32]int64{}, 0
	observe := func(end runEnd) {
		t.Helper()
		last := b.profileRecord().N
		model.observe(&profileRun{first: exports, last: last, answers: source.take(), end: end}, b.consumeFrom("users", kgo.ReadUncommitted(), tail))
		exports = last
	}
	b.runOnce(0)
	observe(succeeded)
	for round, sleeps := range []bool{false, true, true, false} {
		reached, goOn := make(chan struct{}), make(chan struct{})
		var held atomic.Bool
		source.set(func(s *profileSource) {
			delete(s.profiles, fmt.Sprint("user", round))
			s.profiles["user9"], s.profiles["user5"] = fmt.Sprint("before ", round), "before" // in the second half
			s.next.halfway = func(r *http.Request) {
				if held.Swap(true) {
					return
				}
				close(reached)
				select {
				case <-goOn:
				case <-r.Context().Done():
				}
			}
		})
		old := b.start("run")
		<-reached
		if sleeps {
			old.signal(syscall.SIGSTOP)
		}
		source.set(func(s *profileSource) { s.profiles["user9"] = fmt.Sprint("after ", round) })
		newer := b.start("run")
		newer.await(isOwner)
		if !sleeps {
			old.await(isStandby)
		}
		newer.awaitMore(`"deleted":1`, 0)
		close(goOn)
		if sleeps {
			old.signal(syscall.SIGCONT)
			old.await(isStandby)
		}
		newer.awaitMore(exported, newer.count(exported))
		old.kill()
		newer.kill()
		expectNoLoss(t, old.log()+newer.log())
		observe(interrupted)
		if _, is := model.table[fmt.Sprint("user", round)]; is {
			t.Errorf("user%d is still in the topic", round)
		}
	}
	source.set(func(s *profileSource) { s.next = answerDefects{} })
	b.set("STREAM_USERS_POLL_INTERVAL", "1ms") // due, however short ago the killed instance exported it
	b.runOnce(0)
	observe(succeeded)
	b.checkTable(source, false)
	if model.tombstones != 4 {
		t.Errorf("%d deletes, want 4", model.tombstones)
	}
}
