package e2e

import (
	"syscall"
	"testing"
	"time"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// TestStopAndGoOn: SIGTERM in the middle of downloads ends with 0, everything acknowledged, and the next run goes on from there.
func TestStopAndGoOn(t *testing.T) {
	t.Parallel()
	b := newBench(t, &exporttest.Server{
		Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 51, RowsPerDay: 4000},
		Faults: func(exporttest.Call) *exporttest.Fault {
			return &exporttest.Fault{Drip: 64 << 10, DripEvery: 30 * time.Millisecond}
		},
	})
	b.unbounded()
	for range 3 {
		p := b.start(binary, nil, "run")
		p.await(`"msg":"owner"`)
		time.Sleep(300 * time.Millisecond)
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		select {
		case <-p.done:
		case <-time.After(20 * time.Second):
			t.Fatalf("it does not end:\n%s", p.text())
		}
		if code := p.cmd.ProcessState.ExitCode(); code != 0 {
			t.Errorf("exit %d:\n%s", code, p.text())
		}
		expect(t, p.text(), "stopped, everything is in the ledger")
	}
	if letters := b.letters(); len(letters) > 0 {
		t.Errorf("a stop made dead letters: %+v", letters)
	}
	b.settle()
}

// TestAtLeastOnce works without a transactional id, and without anything twice as long as there is one instance.
func TestAtLeastOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 52, RowsPerDay: 2000, Late: 0.2, LateFrom: 2}})
	b.unbounded()
	b.environ["DELIVERY"] = "at-least-once"
	b.environ["STREAM_EVENTS_POLL_INTERVAL"], b.environ["STREAM_EVENTS_LOOKBACK_INTERVAL"] = "100ms", "100ms"
	for range 4 {
		p := b.start(binary, nil, "run")
		p.await(`"code":"ok"`)
		p.kill()
	}
	out := b.once(0)
	expect(t, out, "DELIVERY=at-least-once: no instance is fenced")
	compare(t, b.served(schema.Event), b.published("events"))
}

// TestStreams has two streams of events and one of profiles, each with its own filter, key and topic.
func TestStreams(t *testing.T) {
	t.Parallel()
	b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 53, RowsPerDay: 800, Users: 300, Odd: 0.1}})
	b.unbounded()
	for name, value := range map[string]string{
		"STREAMS": "events,purchases,users", "STREAM_PURCHASES_EVENTS": "df_purchase,custom_event_20", "STREAM_PURCHASES_START": "1",
		"STREAM_PURCHASES_TOPIC": b.prefix + "purchases", "STREAM_USERS_EXPORT": "userprofile", "STREAM_USERS_TOPIC": b.prefix + "users",
		"STREAM_PURCHASES_PROPERTIES": "df_discount,campaign", "STREAM_EVENTS_EXCLUDE_EVENTS": "df_login",
	} {
		b.environ[name] = value
	}
	b.once(0)
	today := schema.DayOf(time.Now(), seoul)
	want := map[string][]map[string]string{}
	for day := today - 2; day <= today; day++ {
		want["events"] = append(want["events"], b.api.Data.Export(exporttest.Query{Kind: schema.Event, From: day, To: day,
			Filter: schema.Filter{ExcludeEvents: []string{"df_login"}}}).Records()...)
		if day > today-2 {
			want["purchases"] = append(want["purchases"], b.api.Data.Export(exporttest.Query{Kind: schema.Event, From: day, To: day,
				Filter: schema.Filter{Events: []string{"df_purchase", "custom_event_20"}, Properties: []string{"df_discount", "campaign"}}}).Records()...)
		}
	}
	want["users"] = b.api.Data.Export(exporttest.Query{Kind: schema.UserProfile, From: today, To: today}).Records()
	for stream, records := range want {
		compare(t, records, b.published(stream))
	}
}
