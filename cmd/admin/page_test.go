package admin_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/cmd/admin"
	"dfinery-kafka/pipeline"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// everyDay returns a stream with days in every state.
func everyDay(name string) pipeline.StreamStatus {
	today := schema.DayOf(noon, time.UTC)
	st := pipeline.StreamStatus{
		Name: name, Topic: "dfinery." + name, First: today - 30, LastSuccess: ptr(noon.Add(-time.Minute)),
		Next: &pipeline.NextStatus{Day: today, At: ptr(noon.Add(8 * time.Minute)), WaitsFor: schema.WaitPoll},
	}
	for back := range schema.Day(31) {
		d := pipeline.DayStatus{Day: today - back, State: ledger.Settled, Exports: 4, Rows: 1041, Published: 1041, LastExport: ptr(noon.Add(-time.Hour)), LastSuccess: ptr(noon.Add(-time.Hour))}
		switch back {
		case 0:
			d.State, d.Running = ledger.Open, true
		case 1:
			d.State = ledger.Open
		case 4:
			d.Error = ptr("query_error: the API answered 500 Internal Server Error, \"query_error\"; the day is exported again later")
		case 5:
			d.MissingEvents = []string{"df_purchase"}
		case 6:
			d.Bad, d.Missing = 2, 3
		case 7:
			d.State, d.Rows, d.Published, d.LastSuccess, d.LastExport = ledger.Pending, 0, 0, nil, nil
		case 30:
			d.State, d.Rows, d.Published, d.LastSuccess = ledger.Gap, 0, 0, nil
		}
		st.Days = append(st.Days, d)
	}
	return st
}

// busy returns a view with the given number of streams in which every part of the page occurs.
func busy(streams int) admin.View {
	v := full()
	v.At = noon
	v.Pipeline.Streams = nil
	for i := range streams {
		v.Pipeline.Streams = append(v.Pipeline.Streams, everyDay(fmt.Sprintf("events%d", i)))
	}
	for i := range 50 {
		v.Letters = append(v.Letters, pipeline.RecentLetter{
			At: noon.Add(-time.Duration(i) * time.Minute), Stream: "events0", Day: schema.DayOf(noon, time.UTC), Kind: schema.KindRow, Code: schema.FieldCount,
			Detail: "line 17: 38 fields, the header has 40",
		})
	}
	v.Pipeline.Commands = []ledger.Command{{Verb: "backfill", Stream: "events0", From: 20000, To: 20003, Given: noon.Add(-time.Minute), Taken: ptr(noon), Finished: 1, Total: 4, By: "somebody"}}
	return v
}

func get(t *testing.T, v admin.View, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	newServer(of(v)).Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	if w.Code != http.StatusOK {
		t.Fatalf("GET %s: status %d: %s", path, w.Code, w.Body)
	}
	return w
}

// TestPage_Policy: the content security policy allows only the inlined style and script.
func TestPage_Policy(t *testing.T) {
	t.Parallel()
	w := get(t, busy(1), "/")
	policy := w.Header().Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "connect-src 'self'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("the policy does not have %s: %s", part, policy)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Errorf("the policy allows too much: %s", policy)
	}
	for _, tag := range []string{"style", "script"} {
		inlined := regexp.MustCompile("(?s)<"+tag+">(.*?)</"+tag+">").FindAllStringSubmatch(w.Body.String(), -1)
		if len(inlined) != 1 {
			t.Fatalf("%d elements %s, want 1", len(inlined), tag)
		}
		sum := sha256.Sum256([]byte(inlined[0][1]))
		if want := tag + "-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(policy, want) {
			t.Errorf("the policy does not allow the inlined %s: %s", tag, policy)
		}
	}
	if cookies := w.Result().Cookies(); len(cookies) > 0 {
		t.Errorf("cookies are set: %v", cookies)
	}
	for _, match := range regexp.MustCompile(`(?:href|src|action)="([^"]*)"`).FindAllStringSubmatch(w.Body.String(), -1) {
		if strings.HasPrefix(match[1], "/") || strings.Contains(match[1], "//") {
			t.Errorf("the address %q is not relative: it breaks behind an ingress path", match[1])
		}
	}
}

// TestPage_HostileText: texts that the API sends are escaped on the page.
func TestPage_HostileText(t *testing.T) {
	t.Parallel()
	const hostile = `</style></script><script>alert(1)</script><img src=x onerror=alert(2)>" onfocus="alert(3)`
	v := busy(1)
	st := &v.Pipeline.Streams[0]
	st.Halted = ptr(hostile)
	st.Days[0].Error, st.Days[1].MissingEvents, st.Days[2].Error = ptr(hostile), []string{hostile}, ptr("x: "+hostile)
	v.Letters[0].Detail, v.Letters[0].Code = hostile, hostile
	v.Source.Breaker.Cause = hostile
	v.Pipeline.Reasons = []string{hostile}
	v.Pipeline.Commands[0].By = hostile
	v.Totals = map[string]pipeline.StreamCounts{"events0": {Letters: map[pipeline.LetterKind]int64{{Kind: schema.KindExport, Code: hostile}: 1}}}
	body := get(t, v, "/").Body.String()
	for _, raw := range []string{"<script>alert", "<img", `" onfocus="`} {
		if strings.Contains(body, raw) {
			t.Errorf("the page has %s unescaped", raw)
		}
	}
	if n := strings.Count(body, html.EscapeString("<img")); n < 5 {
		t.Errorf("the hostile text is shown in %d places, want at least 5", n)
	}
}

// TestPage_Size: a page with ten streams in which everything occurs has at most 100 KiB.
func TestPage_Size(t *testing.T) {
	t.Parallel()
	const most = 100 << 10
	if n := get(t, busy(10), "/").Body.Len(); n > most {
		t.Errorf("the page has %d bytes, more than %d", n, most)
	}
}

// TestPage_AgreesWithStatus compares the days on the page with those of /status at the same time.
func TestPage_AgreesWithStatus(t *testing.T) {
	t.Parallel()
	s := newServer(of(busy(2)))
	_, page := ask(s, "/")
	_, status := ask(s, "/status")
	var told struct {
		Breaker struct{ State string }
		Quota   struct{ Limit, Remaining int }
		Streams []struct {
			Name string
			Days []struct {
				Day             string
				State           string
				Rows, Published int
				Missing         []string `json:"missing_events"`
				Error           *string
			}
		}
	}
	if err := json.Unmarshal([]byte(status), &told); err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, st := range told.Streams {
		for i := range st.Days {
			d := st.Days[len(st.Days)-1-i]
			class := d.State
			switch {
			case d.State == "gap":
			case len(d.Missing) > 0:
				class = "narrowed"
			case d.Error != nil:
				class = "failing"
			}
			want = append(want, fmt.Sprintf("%s %s\n%d rows, %d published", d.Day, class, d.Rows, d.Published))
		}
	}
	for _, match := range regexp.MustCompile(`<button [^>]*aria-label="([^",]*, \d+ published)`).FindAllStringSubmatch(page, -1) {
		got = append(got, html.UnescapeString(match[1]))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("days (-status +page):\n%s", diff)
	}
	for _, text := range []string{told.Breaker.State, fmt.Sprintf("%d of %d", told.Quota.Remaining, told.Quota.Limit)} {
		if !strings.Contains(page, text) {
			t.Errorf("the page does not show %q", text)
		}
	}
}

// TestPage_Yesterday: the page shows whether yesterday is complete, and if not, why.
func TestPage_Yesterday(t *testing.T) {
	t.Parallel()
	today := schema.DayOf(noon, time.UTC)
	yesterday := func(change func(*pipeline.StreamStatus, *pipeline.DayStatus)) pipeline.StreamStatus {
		st := everyDay("events")
		change(&st, &st.Days[1])
		return st
	}
	for name, test := range map[string]struct {
		stream pipeline.StreamStatus
		want   string
	}{
		"open, exported after its end": {yesterday(func(*pipeline.StreamStatus, *pipeline.DayStatus) {}), "2026-11-22: complete, 1041 rows published; late rows are still added"},
		"settled":                      {yesterday(func(_ *pipeline.StreamStatus, d *pipeline.DayStatus) { d.State = ledger.Settled }), "2026-11-22: complete, 1041 rows published"},
		"exported before its end": {yesterday(func(_ *pipeline.StreamStatus, d *pipeline.DayStatus) { d.LastSuccess = ptr(noon.Add(-24 * time.Hour)) }),
			"2026-11-22: not complete: its last successful export began before the day ended"},
		"failing, breaker open": {yesterday(func(st *pipeline.StreamStatus, d *pipeline.DayStatus) {
			d.LastSuccess, d.Error = ptr(noon.Add(-24*time.Hour)), ptr("query_error: no")
			st.Next.WaitsFor = schema.WaitBreaker
		}), "2026-11-22: not complete: its last successful export began before the day ended; the next export starts when the circuit breaker allows a probe; query_error: no"},
		"never exported, halted": {yesterday(func(st *pipeline.StreamStatus, d *pipeline.DayStatus) {
			d.State, d.LastSuccess = ledger.Pending, nil
			st.Halted = ptr("bad_header")
		}), "2026-11-22: not complete: it was never exported; the stream is halted"},
		"lacks an event": {yesterday(func(_ *pipeline.StreamStatus, d *pipeline.DayStatus) { d.MissingEvents = []string{"df_purchase"} }),
			"2026-11-22: not complete: the API fails for the events df_purchase"},
		"gap": {yesterday(func(_ *pipeline.StreamStatus, d *pipeline.DayStatus) { d.State = ledger.Gap }), "2026-11-22: not complete: it left the API's reach without a successful export"},
		"a snapshot": {pipeline.StreamStatus{Name: "events", First: today, Days: []pipeline.DayStatus{{Day: today, State: ledger.Open, Published: 7, LastSuccess: ptr(noon)}}},
			"2026-11-23: complete, 7 rows published"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := full()
			v.At, v.Pipeline.Streams = noon, []pipeline.StreamStatus{test.stream}
			body := get(t, v, "/").Body.String()
			match := regexp.MustCompile(`(?s)<ul class="glance">.*?<b>events</b> (.*?)</li>`).FindStringSubmatch(body)
			if match == nil {
				t.Fatal("the page has no verdict")
			}
			if diff := cmp.Diff(test.want, html.UnescapeString(match[1])); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestPage_Standby: the page of a standby names the owner.
func TestPage_Standby(t *testing.T) {
	t.Parallel()
	v := busy(1)
	v.Pipeline.Role, v.Pipeline.Owner = pipeline.RoleStandby, &ledger.Owner{Instance: "host-7", Beat: noon}
	if body := get(t, v, "/").Body.String(); !strings.Contains(body, "standby of host-7, whose last heartbeat was 2026-11-23T12:00:00Z") {
		t.Error("the page does not name the owner")
	}
}

// TestPage_Actions: each suggested action links to its section of the runbook, if the
// runbook's address is known.
func TestPage_Actions(t *testing.T) {
	t.Parallel()
	v := busy(1)
	v.Source.Token.Refused = true
	v.Pipeline.Streams[0].Halted = ptr("bad_header: no column df_unified_id")
	s := newServer(of(v))
	s.RunbookURL = "https://runbook.example.com/RUNBOOK.md"
	_, body := ask(s, "/")
	for _, alert := range []string{"DfineryTokenRefused", "DfineryBreakerOpen", "DfineryStreamHalted", "DfineryGap", "DfineryExportsFail"} {
		if want := `href="https://runbook.example.com/RUNBOOK.md#` + strings.ToLower(alert) + `"`; !strings.Contains(body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}
