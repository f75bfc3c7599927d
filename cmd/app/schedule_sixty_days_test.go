package app_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// TestSixtyDays simulates 60 days, with outages of the API of an hour, a day and a week, and
// an outage of the connector of 33 days, and compares the states of days and the published
// rows.
func TestSixtyDays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		w := newSimulation(t, &exporttest.Server{Data: exporttest.Data{Seed: 9, RowsPerDay: 20}})
		w.config.Publish.OwnerHeartbeat, w.config.Publish.StandbyAfter = 6*time.Hour, 18*time.Hour // fewer requests
		w.config.Publish.FenceRenewal, w.config.Publish.CheckpointInterval = 24*time.Hour, 6*time.Hour
		w.config.Breaker.MaxOpenFor = 2 * time.Hour
		w.config.Streams[0].PollInterval, w.config.Streams[0].LookbackInterval = 2*time.Hour, 12*time.Hour
		first := w.today() - 30
		var outages [][2]time.Time
		for at, length := range map[time.Duration]time.Duration{30 * time.Hour: time.Hour, 100 * time.Hour: 24 * time.Hour, 200 * time.Hour: 7 * 24 * time.Hour} {
			outages = append(outages, [2]time.Time{start.Add(at), start.Add(at + length)})
		}
		w.api.Faults = func(c exporttest.Call) *exporttest.Fault {
			for _, o := range outages {
				if c.At.After(o[0]) && c.At.Before(o[1]) {
					return &exporttest.Fault{Code: schema.UnknownError}
				}
			}
			return nil
		}
		w.run(20 * 24 * time.Hour)
		stopped := w.today()
		time.Sleep(33 * 24 * time.Hour)
		w.run(7 * 24 * time.Hour)

		today := w.today()
		want, got := map[schema.Day]ledger.DayState{}, map[schema.Day]ledger.DayState{}
		have := map[schema.Day]bool{}
		for day := first; day <= today; day++ {
			have[day] = true
			switch {
			case day > stopped && day < stopped+33-30:
				want[day] = ledger.Gap
				delete(have, day)
			case day >= today-2:
				want[day] = ledger.Open
			default:
				want[day] = ledger.Settled
			}
		}
		for day, d := range w.days() {
			got[day] = d.State
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("states (-want +got):\n%s", diff)
		}
		if n := w.api.MostInAnHour(); n > 100 {
			t.Errorf("%d calls in an hour", n)
		}
		if n := w.api.MostAtOnce(); n > 5 {
			t.Errorf("%d concurrent calls", n)
		}
		w.compare(have)
	})
}
