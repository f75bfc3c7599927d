package app_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// TestLongOutage: the API fails for 35 days while the connector runs. Exactly the days that
// leave its reach in that time become gaps, each after a warning. All days in reach afterwards
// are published completely.
func TestLongOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newSimulation(t, &exporttest.Server{Data: exporttest.Data{Seed: 10, RowsPerDay: 20}})
		w.config.Breaker.MaxOpenFor = 6 * time.Hour // fewer probes
		w.config.Streams[0].PollInterval, w.config.Streams[0].LookbackInterval = 4*time.Hour, 12*time.Hour
		w.config.Publish.OwnerHeartbeat, w.config.Publish.StandbyAfter = 6*time.Hour, 18*time.Hour
		w.config.Publish.FenceRenewal, w.config.Publish.CheckpointInterval = 24*time.Hour, 6*time.Hour
		from := time.Now().Add(50 * time.Hour)
		to := from.Add(35 * 24 * time.Hour)
		w.api.Faults = func(c exporttest.Call) *exporttest.Fault {
			if c.At.After(from) && c.At.Before(to) {
				return &exporttest.Fault{Code: schema.UnknownError}
			}
			return nil
		}
		w.run(50*time.Hour + 37*24*time.Hour)

		loc := w.config.DFINERY.Timezone.Location
		want, got := map[schema.Day]ledger.DayState{}, map[schema.Day]ledger.DayState{}
		had, logged := map[schema.Day]bool{}, w.logged()
		today, back, began := w.today(), schema.DayOf(to, loc), schema.DayOf(from, loc)
		for day := schema.DayOf(from.Add(-50*time.Hour), loc) - 30; day <= today; day++ {
			switch {
			case day > began && day < back-30:
				want[day] = ledger.Gap
				warning := strings.Index(logged, fmt.Sprintf(`msg="a day that was never exported is about to leave the API's reach" stream=events day=%s`, day))
				gap := strings.Index(logged, fmt.Sprintf("without ever having been exported: its rows are lost at the source\" stream=events day=%s", day))
				if warning < 0 || gap < warning {
					t.Errorf("%s: the warning is at %d of the log, the gap at %d", day, warning, gap)
				}
			case day >= today-2:
				want[day], had[day] = ledger.Open, true
			default:
				want[day], had[day] = ledger.Settled, true
			}
		}
		for day, d := range w.days() {
			got[day] = d.State
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("states (-want +got):\n%s", diff)
		}
		if n := strings.Count(logged, "without ever having been exported"); n != len(want)-len(had) {
			t.Errorf("%d gaps are logged, want %d", n, len(want)-len(had))
		}
	})
}
