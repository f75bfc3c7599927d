package app_test

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"dfinery-kafka/cmd/config"
	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// letters counts the dead letters by code.
func (w *simulation) letters() map[schema.Code]int {
	w.t.Helper()
	codes := map[schema.Code]int{}
	for _, r := range w.records("dead") {
		var l schema.DeadLetter
		if err := json.Unmarshal(r.Value, &l); err != nil {
			w.t.Fatal(err)
		}
		codes[l.Error.Code]++
	}
	return codes
}

// TestAPI_OutageOfTwoHours: for two hours the API answers with unknown_error, with three
// streams and five concurrent calls. The number of calls is limited by the breaker, and
// exports recover soon afterwards.
func TestAPI_OutageOfTwoHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newSimulation(t, &exporttest.Server{Data: exporttest.Data{Seed: 2, RowsPerDay: 10}})
		w.config.Streams[0].Start.Back = 3
		for _, name := range []string{"second", "third"} {
			s := w.config.Streams[0]
			s.Name, s.Topic = name, config.Topic(name)
			w.config.Streams = append(w.config.Streams, s)
		}
		from := time.Now().Add(10 * time.Minute)
		to := from.Add(2 * time.Hour)
		w.api.Faults = func(c exporttest.Call) *exporttest.Fault {
			if c.At.After(from) && c.At.Before(to) {
				return &exporttest.Fault{Code: schema.UnknownError}
			}
			return nil
		}
		for i := range w.config.Streams {
			w.config.Streams[i].PollInterval, w.config.Streams[i].LookbackInterval = 5*time.Minute, 20*time.Minute
		}
		w.config.DFINERY.CallsPerHour = 100
		w.run(3 * time.Hour)

		failed, afterwards := 0, time.Duration(0)
		for _, c := range w.api.Calls() {
			if c.Code == schema.UnknownError {
				failed++
			} else if c.At.After(to) && afterwards == 0 {
				afterwards = c.At.Sub(to)
			}
		}
		// Five consecutive failures and at most four calls in progress, then probes after 1,
		// 2, 4, 8 and then every 15 minutes.
		if most := 5 + 4 + 4 + 8; failed > most || failed < 5+4 {
			t.Errorf("%d calls failed in the outage, want at most %d", failed, most)
		}
		if afterwards > 15*time.Minute+time.Second {
			t.Errorf("recovered %s after the outage", afterwards)
		}
		if n := w.letters()[schema.UnknownError]; n != failed {
			t.Errorf("%d dead letters, %d calls failed", n, failed)
		}
		today := w.today()
		days := map[schema.Day]bool{}
		for day := today - 3; day <= today; day++ {
			days[day] = true
		}
		w.compare(days)
	})
}

// TestQuotaShared: another client uses calls of the same service, and the connector is restarted.
func TestQuotaShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newSimulation(t, &exporttest.Server{
			Data:   exporttest.Data{Seed: 2, RowsPerDay: 10},
			Limits: exporttest.Limits{Others: func(time.Time) int { return 40 }, ResetMillis: true},
		})
		w.config.Streams[0].PollInterval, w.config.Streams[0].LookbackInterval = 2*time.Minute, 10*time.Minute
		for range 12 {
			w.run(20 * time.Minute)
		}
		refused := 0
		for _, c := range w.api.Calls() {
			if c.Code == schema.TooManyAPIRequests {
				refused++
			}
		}
		// The calls of others are known only from the API's answers, of which a few are refusals.
		if refused > 4 {
			t.Errorf("%d calls were refused", refused)
		}
		if n := w.api.MostInAnHour(); n > 100 {
			t.Errorf("%d calls in an hour", n)
		}
		today := w.today()
		days := map[schema.Day]bool{}
		for day := today - 30; day <= today; day++ {
			days[day] = true
		}
		w.compare(days)
	})
}
