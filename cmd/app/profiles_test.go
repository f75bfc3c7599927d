package app_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/ledger/store"
)

// TestProfiles_Window simulates a month with the defaults: a profile is deleted one or two
// days after the first snapshot without it, and at most ten are deleted within seven days. One
// that is in the next snapshot again is kept.
func TestProfiles_Window(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, api := newProfiles(t, map[string]int{"first": 6, "second": 5, "briefly": 3, "late": 9})
		start := midnight(w)
		at := func(days int, do func()) {
			time.AfterFunc(time.Until(start.Add(time.Duration(days)*24*time.Hour-time.Hour)), do)
		}
		at(2, func() { api.lose("first") })
		at(4, func() { api.lose("second") }) // with these there would be eleven deletes within seven days
		at(6, func() { api.lose("briefly") })
		at(7, func() {
			for i := range 3 {
				api.set(fmt.Sprint("briefly", i), "Seoul")
			}
		})
		at(21, func() { api.lose("late") }) // more than seven days after all other deletes
		days := map[string]map[int]int{}    // number of deletes by prefix and day
		for time.Since(start) < 26*24*time.Hour {
			w.run(5 * 24 * time.Hour) // the topic removes tombstones after seven days
			for prefix, hours := range w.deletes(start) {
				days[prefix] = map[int]int{}
				for _, h := range hours {
					days[prefix][h/24]++
				}
			}
		}
		for prefix, want := range map[string]struct{ n, from, to int }{"first": {6, 3, 4}, "second": {5, 11, 14}, "late": {9, 22, 23}} {
			got := days[prefix]
			delete(days, prefix)
			for day, n := range got {
				if len(got) != 1 || n != want.n || day < want.from || day > want.to {
					t.Errorf("deletes of %s by days: %v, want %+v", prefix, got, want)
				}
			}
		}
		if len(days) != 0 {
			t.Errorf("deletes of others: %v", days)
		}
		if t.Failed() {
			t.Logf("calls: %v", api.calls)
		}
	})
}

// midnight returns the start of the source's next day.
func midnight(w *simulation) time.Time { return w.today().End(w.config.DFINERY.Timezone.Location) }

// TestProfiles_DeleteAfter: with a snapshot an hour, a profile is deleted by the first
// snapshot that began DELETE_AFTER after the first one without it.
func TestProfiles_DeleteAfter(t *testing.T) {
	t.Parallel()
	for _, after := range []time.Duration{0, time.Hour, 24 * time.Hour, 90 * time.Hour} {
		t.Run(after.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, api := newProfiles(t, map[string]int{"gone": 4})
				w.config.Streams[0].PollInterval, w.config.Streams[0].DeleteAfter = time.Hour, after
				start := time.Now()
				time.AfterFunc(90*time.Minute, func() { api.lose("gone") }) // absent from the snapshot after 2 h
				w.run(after + 12*time.Hour)
				hours, least := w.deletes(start)["gone"], 2+max(1, int(after.Hours()))
				if len(hours) != 4 || hours[0] < least || hours[3] > least+1 { // or the next one, if that began some milliseconds too early
					t.Errorf("hours of deletes: %v, want four at %d", hours, least)
				}
			})
		})
	}
}

// TestProfiles_ApprovalExpires: an approval is valid for seven days. Deletes that no snapshot
// confirmed in that time need another approval.
func TestProfiles_ApprovalExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, api := newProfiles(t, map[string]int{"gone": 50})
		w.config.Streams[0].PollInterval = 12 * time.Hour
		a := w.wire()
		a.Service.CommandPoll = time.Hour
		defer w.start(a)()
		stored := &store.Ledger{Cluster: a.Service.Cluster, Topic: "ledger", Rows: "ledger.rows", Service: "1234"}
		profiles := func() *ledger.Profiles {
			t.Helper()
			state, err := stored.Load(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return state.Service.Profiles["users"]
		}
		start := time.Now()
		time.Sleep(time.Hour)
		api.lose("gone")
		time.Sleep(48 * time.Hour)
		if p := profiles(); p.Why != "over_ceiling" || p.Withheld != 50 {
			t.Fatalf("%d are withheld, because of %q", p.Withheld, p.Why)
		}
		api.change(func() { api.unframed = true })
		approve(t, stored, "1")
		time.Sleep(7*24*time.Hour - time.Hour)
		if p := profiles(); p.Approved == nil || p.Approved.N != 50 || p.Why != "unproven_end" {
			t.Errorf("the approval is %+v, the reason %q", p.Approved, p.Why)
		}
		api.change(func() { api.unframed = false })
		time.Sleep(48 * time.Hour)
		if p := profiles(); p.Approved != nil || p.Why != "over_ceiling" || p.Withheld != 50 {
			t.Errorf("the approval is %+v after nine days, %d are withheld, because of %q", p.Approved, p.Withheld, p.Why)
		}
		if got := w.deletes(start); len(got) != 0 {
			t.Errorf("deletes after an approval that has expired: %v", got)
		}
		approve(t, stored, "2")
		approved := time.Now()
		time.Sleep(48 * time.Hour)
		if hours := w.deletes(approved)["gone"]; len(hours) != 50 || hours[0] < 24 || hours[49] >= 36 {
			t.Errorf("hours of deletes after the second approval: %v, want all 50 by the next snapshot that is a day later", hours)
		}
		if p := profiles(); p.Approved != nil || p.Why != "" || p.Withheld != 0 {
			t.Errorf("the approval is %+v when no profile is absent, %d are withheld, because of %q", p.Approved, p.Withheld, p.Why)
		}
	})
}

// approve approves withheld deletes, and waits until the owner has executed the command.
func approve(t *testing.T, stored *store.Ledger, id string) {
	t.Helper()
	c := ledger.Command{ID: id, Service: "1234", Verb: "approve", Stream: "users", Given: time.Now().UTC()}
	if err := stored.Submit(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
	defer cancel()
	if err := stored.Watch(ctx, &c, time.Minute, func(got *ledger.Command) bool {
		c = *got
		return c.Done == nil
	}); err != nil || c.Error != "" {
		t.Fatalf("%v: %+v", err, c)
	}
}

// TestProfiles_OverMidnight: a snapshot that is in progress at midnight ends as one of the
// previous day, and the next day's follows it. A profile is not deleted because these two,
// which are close together, lack it.
func TestProfiles_OverMidnight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, api := newProfiles(t, map[string]int{"gone": 4})
		w.config.Streams[0].PollInterval = time.Hour
		api.slow = 10 * time.Minute
		start := midnight(w)
		time.Sleep(time.Until(start.Add(-65 * time.Minute))) // the second call begins five minutes before midnight
		var meanwhile sync.WaitGroup
		meanwhile.Go(func() {
			time.Sleep(time.Until(start.Add(-6 * time.Minute)))
			api.lose("gone")
			api.set("stays1", "Busan")
			time.Sleep(7 * time.Minute) // the second half of the answer arrives after midnight
			api.set("stays999", "Jeju")
		})
		w.run(26 * time.Hour)
		meanwhile.Wait()
		for i := 1; i < len(api.calls); i++ {
			if apart := api.calls[i].Sub(api.calls[i-1]); apart < api.slow {
				t.Errorf("call %d begins %s after the previous one", i, apart)
			}
		}
		today := w.today() - 1
		got := map[string]string{}
		for _, r := range w.records("users") {
			if string(r.Value) != `{"df_unified_id":"`+string(r.Key)+`","city":"Seoul"}` {
				got[string(r.Key)] = header(r.Headers, "export") + " " + header(r.Headers, "op")
			}
		}
		want := map[string]string{
			"stays1":   fmt.Sprintf("1234/users/%s/2 u", today-1), // exported before midnight
			"stays999": fmt.Sprintf("1234/users/%s/3 u", today),   // after it
		}
		for i := range 4 {
			want[fmt.Sprint("gone", i)] = "deleted"
		}
		for key, text := range got {
			if strings.HasPrefix(key, "gone") && strings.HasSuffix(text, " d") {
				got[key] = "deleted"
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("records that are not of the first snapshot (-want +got):\n%s\ncalls: %v", diff, api.calls)
		}
		if hours := w.deletes(start)["gone"]; len(hours) != 4 || hours[0] < 24 || hours[3] > 25 {
			t.Errorf("hours of deletes after midnight: %v, want four at 24", hours)
		}
	})
}
