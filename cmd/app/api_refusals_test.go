package app_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/cmd/config"
	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// failed counts the calls that were answered with a code.
func (w *simulation) failed(code schema.Code) (n int) {
	for _, c := range w.api.Calls() {
		if c.Code == code {
			n++
		}
	}
	return n
}

// since returns today and the given number of days before.
func (w *simulation) since(back schema.Day) map[schema.Day]bool {
	days := map[schema.Day]bool{}
	for day := w.today() - back; day <= w.today(); day++ {
		days[day] = true
	}
	return days
}

// TestRefusedStream: the API refuses the requests of one stream. It is tried every hour, and
// the other one continues.
func TestRefusedStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newSimulation(t, &exporttest.Server{Data: exporttest.Data{Seed: 3, RowsPerDay: 10}})
		w.config.Streams[0].Start.Back = 1
		w.config.Streams[0].PollInterval = 10 * time.Minute
		other := w.config.Streams[0]
		other.Name, other.Topic, other.Events = "purchases", config.Topic("purchases"), []string{"df_purchase"}
		w.config.Streams = append(w.config.Streams, other)
		start := time.Now()
		well := start.Add(150 * time.Minute)
		w.api.Faults = func(c exporttest.Call) *exporttest.Fault {
			if c.Query.Filter.Events != nil && c.At.Before(well) {
				return &exporttest.Fault{Code: schema.InvalidParameter}
			}
			return nil
		}
		w.run(90 * time.Minute)
		w.run(150 * time.Minute) // the time of the next attempt survives a restart
		// One or two calls are made at first, then one each hour; the stream resumes at 3h.
		var refused []time.Duration
		calls := map[bool]int{}
		for _, c := range w.api.Calls() {
			calls[c.Query.Filter.Events == nil]++
			if c.Code == schema.InvalidParameter {
				refused = append(refused, c.At.Sub(start).Truncate(time.Minute))
			}
		}
		if diff := cmp.Diff([]time.Duration{0, time.Hour, 2 * time.Hour}, slices.Compact(slices.Clone(refused))); diff != "" || len(refused) > 4 {
			t.Errorf("%d refused calls (-want +got):\n%s", len(refused), diff)
		}
		if calls[true] < 24 {
			t.Errorf("the other stream made %d calls in four hours", calls[true])
		}
		if n := w.letters()[schema.InvalidParameter]; n != len(refused) {
			t.Errorf("%d dead letters, %d calls were refused", n, len(refused))
		}
		rows := 0
		for day := w.today() - 1; day <= w.today(); day++ {
			rows += len(w.api.Data.Export(exporttest.Query{Kind: schema.Event, From: day, To: day, Filter: schema.Filter{Events: other.Events}}).Rows)
		}
		if n := len(w.records("purchases")); n != rows {
			t.Errorf("%d rows of the stream are published when it has resumed, want %d", n, rows)
		}
		w.compare(w.since(1))
		if !strings.Contains(w.logged(), "stream resumes") {
			t.Error("the log does not say that the stream resumes")
		}
	})
}

// TestOutOfReach: days that the API refuses as out of reach become gaps, except today, and
// except while its clock differs.
func TestOutOfReach(t *testing.T) {
	const pending, gap, open, settled = ledger.Pending, ledger.Gap, ledger.Open, ledger.Settled
	tests := map[string]struct {
		refuseToday bool
		dateOff     time.Duration
		want        []ledger.DayState // of today and the days before
	}{
		"old days":             {false, 0, []ledger.DayState{open, open, open, settled, settled, gap, gap}},
		"today":                {true, 0, []ledger.DayState{pending, open, open, settled, settled, gap, gap}},
		"a clock hours ahead":  {false, 5 * time.Hour, []ledger.DayState{open, open, open, settled, settled, pending, pending}},
		"a clock hours behind": {true, -5 * time.Hour, []ledger.DayState{pending, open, open, settled, settled, pending, pending}},
		"a clock a bit ahead":  {false, 20 * time.Minute, []ledger.DayState{open, open, open, settled, settled, gap, gap}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newSimulation(t, &exporttest.Server{
					Data: exporttest.Data{Seed: 3, RowsPerDay: 10}, Reach: 4, RefuseToday: test.refuseToday,
					Clock: func() time.Time { return time.Now() },
				})
				w.config.Streams[0].Start.Back = 6
				w.http = dated{w.http, test.dateOff}
				w.run(3 * time.Hour)
				days := w.days()
				var got []ledger.DayState
				for back := schema.Day(0); back <= 6; back++ {
					got = append(got, days[w.today()-back].State)
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("states of today and the days before (-want +got):\n%s", diff)
				}
				if n := len(w.api.Calls()); n > 100 {
					t.Errorf("%d calls", n)
				}
			})
		})
	}
}

// TestAPI_ConnectionFailures: while connections to the API fail, one call at a time is made,
// at growing intervals, until one succeeds.
func TestAPI_ConnectionFailures(t *testing.T) {
	tests := map[string]exporttest.Fault{
		"client_connection_closed": {Code: schema.ClientConnectionClosed},
		"502 with a page":          {Status: 502, Page: "<html>Bad Gateway</html>"},
		"503 without a body":       {Status: 503},
		"200 without a body":       {Empty: true},
		"no answer at all":         {Drop: true},
		"bodies that are cut":      {Then: exporttest.Close, AfterRow: 4, At: 9},
		"silence":                  {Hang: true},
	}
	for name, fault := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newSimulation(t, &exporttest.Server{Data: exporttest.Data{Seed: 3, RowsPerDay: 10}})
				start := time.Now()
				from, to := start.Add(time.Hour), start.Add(3*time.Hour)
				w.api.Faults = func(c exporttest.Call) *exporttest.Fault {
					if !c.At.Before(from) && c.At.Before(to) {
						return &fault
					}
					return nil
				}
				w.config.Streams[0].PollInterval, w.config.Streams[0].LookbackInterval = 10*time.Minute, 20*time.Minute
				w.run(4 * time.Hour)
				var during []exporttest.Call
				after := time.Duration(-1)
				for _, c := range w.api.Calls() {
					if !c.At.Before(from) && c.At.Before(to) {
						during = append(during, c)
					} else if after < 0 && !c.At.Before(to) {
						after = c.At.Sub(to)
					}
				}
				// Concurrent calls at first, then pauses from a second to ten minutes, each at
				// least half of its nominal length.
				if n := len(during); n > 5+10+2*6*2 || n < 10 {
					t.Errorf("%d calls in two hours", n)
				}
				for i := 6; i < len(during); i++ {
					if before := during[i-1]; during[i].At.Before(before.Ended) || during[i].At.Equal(before.At) {
						t.Errorf("call %d began at %s, before the one of %s had ended", during[i].N, during[i].At.Sub(start), before.At.Sub(start))
					}
				}
				if after < 0 || after > 15*time.Minute {
					t.Errorf("the first call after the failures was made after %s", after)
				}
				letters := 0
				for _, n := range w.letters() {
					letters += n
				}
				if letters != len(during) {
					t.Errorf("%d dead letters, %d calls failed", letters, len(during))
				}
				w.compare(w.since(30))
			})
		})
	}
}

// TestRefusedToken: a token is refused from the start and tried every ten minutes. After its
// file has another one, calls resume within seconds.
func TestRefusedToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newSimulation(t, &exporttest.Server{Data: exporttest.Data{Seed: 3, RowsPerDay: 10}, Token: "right-token"})
		file := filepath.Join(t.TempDir(), "token")
		write := func(text string) { replaceFile(t, file, text) }
		write("wrong-token\n")
		w.config.DFINERY.Token, w.config.DFINERY.TokenFile = "", file
		w.config.Streams[0].Start.Back = 2
		w.config.Publish.OwnerHeartbeat = 10 * time.Second // each iteration of the owner's loop reads the file
		start := time.Now()
		changed := start.Add(25 * time.Minute)
		time.AfterFunc(time.Until(changed), func() { write("right-token\n") })
		w.run(time.Hour)
		var refused []time.Duration
		resumed := time.Duration(-1)
		for _, c := range w.api.Calls() {
			if c.Code == schema.UnauthorizedToken {
				refused = append(refused, c.At.Sub(start).Truncate(time.Minute))
			} else if resumed < 0 {
				resumed = c.At.Sub(changed)
			}
		}
		// How many of the three days are requested before the first answer is random.
		if diff := cmp.Diff([]time.Duration{0, 10 * time.Minute, 20 * time.Minute}, slices.Compact(slices.Clone(refused))); diff != "" || len(refused) > 5 {
			t.Errorf("%d calls with the refused token (-want +got):\n%s", len(refused), diff)
		}
		if resumed < 0 || resumed > 15*time.Second {
			t.Errorf("calls resumed %s after the file had changed", resumed)
		}
		if n := w.letters()[schema.UnauthorizedToken]; n != len(refused) {
			t.Errorf("%d dead letters, %d calls were refused", n, len(refused))
		}
		w.compare(w.since(2))
		for _, secret := range []string{"wrong-token", "right-token"} {
			if strings.Contains(w.logged(), secret) {
				t.Errorf("the log contains %s", secret)
			}
		}
	})
}
