package e2e

import (
	"encoding/json"
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// TestAdmin: what the admin server says of a service at work agrees with what the simulated API and Kafka have seen.
func TestAdmin(t *testing.T) {
	t.Parallel()
	b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 51, RowsPerDay: 60}})
	b.quiet()
	b.listen()
	p := b.start(binary, nil, "run")
	c := p.console()
	p.awaitMore(`"code":"ok"`, 2)
	c.awaitUnready()
	c.until("three days", func() bool { v, _ := c.metric(`dfinery_exports_total{code="ok",stream="events"}`); return v == 3 })
	c.expectMetrics(map[string]float64{
		`dfinery_rows_total{result="published",stream="events"}`:   180,
		`dfinery_rows_total{result="duplicate",stream="events"}`:   0,
		`dfinery_rows_total{result="dead_letter",stream="events"}`: 0,
		`dfinery_export_duration_seconds_count{stream="events"}`:   3,
		`dfinery_breaker_state{state="closed"}`:                    1,
		`dfinery_breaker_state{state="open"}`:                      0,
		`dfinery_quota_remaining`:                                  97,
		`dfinery_quota_limit`:                                      100,
		`dfinery_days{state="open",stream="events"}`:               3,
		`dfinery_reach_remaining_seconds{stream="events"}`:         -1,
		`dfinery_owner`:           1,
		`dfinery_ready`:           1,
		`dfinery_produce_waiting`: 0,
		`dfinery_dead_letters_total{stream="events"}`:                -1,
		`dfinery_stream_paused{stream="events"}`:                     0,
		`dfinery_token_refused`:                                      0,
		`dfinery_breaker_transitions_total{from="closed",to="open"}`: -1,
	})
	var status struct {
		Service string `json:"service_id"`
		Role    string
		Ready   bool
		Streams []struct {
			Name      string
			Published int
			Days      []struct {
				Day          string
				State        string
				Rows         int
				Published    int
				Exports      int
				Bad, Missing int
			}
		}
	}
	_, body := c.get("/status")
	if err := json.Unmarshal([]byte(body), &status); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	want := status
	want.Service, want.Role, want.Ready = "1234", "owner", true
	if len(status.Streams) != 1 || len(status.Streams[0].Days) != 3 {
		t.Fatalf("/status: %s", body)
	}
	today := schema.DayOf(time.Now(), seoul)
	want.Streams = append(want.Streams[:0:0], status.Streams[0])
	want.Streams[0].Name, want.Streams[0].Published = "events", 180
	want.Streams[0].Days = append(status.Streams[0].Days[:0:0], status.Streams[0].Days...)
	for i := range want.Streams[0].Days {
		d := &want.Streams[0].Days[i]
		d.Day, d.State, d.Rows, d.Published, d.Exports, d.Bad, d.Missing = (today - schema.Day(i)).String(), "open", 60, 60, 1, 0, 0
	}
	if diff := cmp.Diff(want, status); diff != "" {
		t.Errorf("/status (-want +got):\n%s", diff)
	}
}

// TestAdminPortInUse: a port that somebody else has is a failure that names ADMIN_ADDR, not a service without a server.
func TestAdminPortInUse(t *testing.T) {
	t.Parallel()
	b := newBench(t, &exporttest.Server{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	b.environ["ADMIN_ADDR"] = l.Addr().String()
	_, got := b.run("run", "--once")
	want := "dfinery-kafka: ADMIN_ADDR: admin server: listen tcp " + l.Addr().String() + ": bind: address already in use\n"
	if diff := cmp.Diff(result{1, want}, got); diff != "" {
		t.Errorf("exit (-want +got):\n%s", diff)
	}
}
