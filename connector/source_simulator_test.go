package connector_test

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"dfinery-kafka/connector"
	"dfinery-kafka/connector/exportapi"
	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/connector/limiter"
	"dfinery-kafka/schema"
)

func TestSourceKeepsTheLimitsOfTheSimulator(t *testing.T) {
	others := func(time.Time) int { return 40 }
	for _, c := range []struct {
		name     string
		limits   exporttest.Limits
		answered int // minimum in four windows
		hour     int // maximum of answered calls in an hour
		refused  int // maximum of calls refused because of the quota
	}{
		{"documented limits", exporttest.Limits{}, 400, 100, 0},
		{"another client", exporttest.Limits{Others: others, ResetMillis: true}, 230, 60, 2},
		{"a smaller limit than configured", exporttest.Limits{PerHour: 30, Headers: exporttest.Joined}, 115, 30, 2},
		{"a smaller limit, unsaid", exporttest.Limits{PerHour: 30, Headers: exporttest.Absent, RetryAfter: true}, 115, 30, 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sim := &exporttest.Server{Data: exporttest.Data{RowsPerDay: 3}, Limits: c.limits, Faults: func(exporttest.Call) *exporttest.Fault {
					return &exporttest.Fault{Delay: 10 * time.Second}
				}}
				server := sim.StartMemory()
				defer server.Close()
				client := &exportapi.Client{
					BaseURL: server.URL, Service: "1234", Token: func() (schema.Secret, error) { return "export-token", nil }, Transport: server.Client().Transport,
				}
				s, err := connector.NewSource(client, limiter.Policy{}, nil)
				if err != nil {
					t.Fatal(err)
				}
				day := schema.DayOf(time.Now(), time.UTC) - 3
				callRepeatedly(t, s, 3*time.Hour+30*time.Minute, func(p *connector.Permit) {
					d, err := p.Export(t.Context(), schema.Export{Stream: "events", Kind: schema.Event, Key: "df_unified_id", Day: day})
					if err != nil {
						return
					}
					for err == nil {
						_, err = d.Next()
					}
					if err != io.EOF {
						t.Error(err)
					}
					_ = d.Close()
				})
				answered, refused := 0, 0
				for _, call := range sim.Calls() {
					if call.Code == schema.TooManyAPIRequests {
						refused++
					} else {
						answered++
					}
				}
				if answered < c.answered || refused > c.refused {
					t.Errorf("%d calls answered, want at least %d; %d refused, want at most %d", answered, c.answered, refused, c.refused)
				}
				if hour, once := sim.MostInAnHour(), sim.MostAtOnce(); hour > c.hour+refused || once > 5 {
					t.Errorf("%d calls in an hour, %d at once; want at most %d, 5", hour, once, c.hour+refused)
				}
			})
		})
	}
}
