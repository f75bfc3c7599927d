package check

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/cmd/config"
	"dfinery-kafka/connector/exportapi"
	"dfinery-kafka/pipeline"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/schema"
)

// statuses returns the lines without details and remedies.
func statuses(lines []Line) []string {
	var list []string
	for _, l := range lines {
		list = append(list, string(l.Status)+" "+l.Check)
	}
	return list
}

func TestWrite(t *testing.T) {
	t.Parallel()
	lines := []Line{{"api", OK, "answers", nil}, {"clock", Warn, "is behind", []string{"set it"}}, {"topic", Fail, "is missing", []string{"create it", "or another"}}}
	var text, encoded strings.Builder
	if err := WriteText(&text, lines); err != nil {
		t.Fatal(err)
	}
	want := "ok    api: answers\nwarn  clock: is behind\n      → set it\nfail  topic: is missing\n      → create it\n      → or another\n1 ok, 1 warning, 1 failed\n"
	if diff := cmp.Diff(want, text.String()); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	if err := WriteJSON(&encoded, lines[:2]); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(strings.Fields(encoded.String()), ""); got != `{"ok":true,"checks":[{"check":"api","status":"ok","detail":"answers"},{"check":"clock","status":"warn","detail":"isbehind","remedy":["setit"]}]}` {
		t.Errorf("JSON: %s", got)
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, test := range map[string]struct {
		theirs time.Duration
		want   Status
	}{
		"agrees": {0, OK}, "within the resolution": {31 * time.Second, OK}, "ahead": {time.Minute, Warn}, "behind": {-time.Minute, Warn}, "far behind": {-11 * time.Minute, Fail},
	} {
		c := new(Check)
		if c.clock("clock", now.Add(test.theirs), now, 2*time.Second); c.lines[0].Status != test.want {
			t.Errorf("%s: %+v, want %s", name, c.lines[0], test.want)
		}
	}
}

// TestService: problems that are in the ledger are warnings, or failures with State.
func TestService(t *testing.T) {
	t.Parallel()
	halted := "bad_header: no column"
	broken := &pipeline.Snapshot{Wait: &ledger.Wait{For: schema.WaitToken, Until: time.Now().Add(time.Minute)}, Streams: []pipeline.StreamStatus{{Name: "events", Halted: &halted}, {Name: "users"}}}
	for name, test := range map[string]struct {
		snapshot *pipeline.Snapshot
		state    bool
		want     []string
	}{
		"nothing":                   {new(pipeline.Snapshot), false, nil},
		"nothing, with State":       {new(pipeline.Snapshot), true, []string{"ok service"}},
		"token, stream":             {broken, false, []string{"warn service token", "warn stream events"}},
		"token, stream, with State": {broken, true, []string{"fail service token", "fail stream events"}},
		"another wait":              {&pipeline.Snapshot{Wait: &ledger.Wait{For: schema.WaitQuota}}, false, nil},
		"a token that is retried":   {&pipeline.Snapshot{Wait: &ledger.Wait{For: schema.WaitToken}}, false, []string{"warn service token"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &Check{Client: &exportapi.Client{}, State: test.state}
			c.service(test.snapshot)
			if diff := cmp.Diff(test.want, statuses(c.lines)); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
		})
	}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	c := new(Check)
	day, err := schema.ParseDay("2026-11-22")
	if err != nil {
		t.Fatal(err)
	}
	c.changes([]schedule.Event{
		{Kind: schedule.IdentityChanged, Stream: "events", Count: 2, Rows: 1}, {Kind: schedule.SettingChanged, Stream: "events", Detail: "another key"},
		{Kind: schedule.DaysLack, Stream: "events", Count: 1, Day: day, LastDay: day, EventName: "df_login"},
		{Kind: schedule.NameUnknown, Stream: "events", NameKind: schedule.NameOfEvent, EventName: "df_purchse", Near: "df_purchase", Count: 31}, {Kind: schedule.StreamRemoved, Stream: "users"}, {Kind: schedule.RowsMissing},
	})
	var got []string
	for _, l := range c.lines {
		got = append(got, l.Check+" "+l.Detail)
	}
	want := []string{
		"stream events its properties, topic or hidden columns have changed: run publishes 2 days with 1 row again, with other ids, by 2 calls",
		"stream events another key",
		"stream events 1 day, 2026-11-22 to 2026-11-22, lack events that the stream exports now (df_login): they were settled before the change",
		"stream events no row of 31 days had an event df_purchse: did you mean df_purchase?",
		"stream users is no longer configured: its days are not exported; its topic is not deleted",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestAdminAddress(t *testing.T) {
	t.Parallel()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	answering := func(body string) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(body)) }))
		t.Cleanup(server.Close)
		return server.Listener.Addr().String()
	}
	for name, test := range map[string]struct {
		address string
		want    []string
	}{
		"none":                {"", nil},
		"free":                {"127.0.0.1:0", nil},
		"another server":      {answering("hello"), []string{"warn admin server"}},
		"an instance of ours": {answering(`{"ready":true,"parts":[{"name":"owner","ready":true}]}`), nil},
	} {
		t.Run(name, func(t *testing.T) {
			c := &Check{Config: &config.Config{Process: config.Process{AdminAddr: config.Addr(test.address)}}}
			c.adminAddress(t.Context())
			if diff := cmp.Diff(test.want, statuses(c.lines)); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
		})
	}
}

func TestKeyColumns(t *testing.T) {
	t.Parallel()
	profiles := schema.Export{Stream: "users", Kind: schema.UserProfile, Key: "id"}
	asked := profiles
	asked.Filter.Identities = "all"
	with, without := &schema.Columns{Names: []string{"id", "df_external_id"}}, &schema.Columns{Names: []string{"id"}}
	for name, test := range map[string]struct {
		export  schema.Export
		columns *schema.Columns
		want    []string
	}{
		"events":             {schema.Export{Stream: "events", Kind: schema.Event, Key: "id"}, without, []string{"ok key column"}},
		"came":               {profiles, with, []string{"ok key column", "ok df_external_id"}},
		"not asked for":      {profiles, without, []string{"ok key column", "warn df_external_id"}},
		"asked for, in vain": {asked, without, []string{"ok key column", "warn df_external_id"}},
	} {
		c := new(Check)
		c.keyColumns(test.export, test.columns)
		if diff := cmp.Diff(test.want, statuses(c.lines)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
