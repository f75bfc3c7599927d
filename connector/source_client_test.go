package connector_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dfinery-kafka/connector"
	"dfinery-kafka/connector/exportapi"
	"dfinery-kafka/connector/limiter"
	"dfinery-kafka/schema"
)

// server answers the HTTP requests of the real client and source without a network.
type server func(*http.Request) *http.Response

func (s server) RoundTrip(r *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, r.Body)
	return s(r), nil
}

func reply(status int, contentType, body string, header ...string) *http.Response {
	h := http.Header{"Content-Type": {contentType}, "Date": {time.Now().UTC().Format(http.TimeFormat)}}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: h, ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body))}
}

func refusal(status int, code schema.Code, header ...string) *http.Response {
	return reply(status, "application/json", fmt.Sprintf(`{"result":"fail","message":%q}`, code), header...)
}

const twoRows = "df_unified_id,event_name\na,x\nb,y\n"

// rows exports one day through the source and returns its rows and its end.
func rows(t *testing.T, s *connector.Source, e schema.Export) (lines []string, end error) {
	t.Helper()
	d, err := reserve(t, s).Export(t.Context(), e)
	if err != nil {
		return nil, err
	}
	defer func() { _ = d.Close() }()
	lines = append(lines, strings.Join(d.Columns().Names, "|"))
	for {
		row, err := d.Next()
		if err != nil {
			return lines, err
		}
		lines = append(lines, string(row.Raw))
	}
}

func TestSourceOverTheClient(t *testing.T) {
	export := schema.Export{Stream: "events", Kind: schema.Event, Key: "df_unified_id", Day: 20000}
	for _, c := range []struct {
		name   string
		answer func() *http.Response
		code   schema.Code // "" for all rows
		reason schema.Reason
		left   time.Duration // at least, and at most one second more
	}{
		{"rows", func() *http.Response { return reply(200, "text/csv", twoRows) }, "", "", noEnd},
		{"rows, and a spent quota", func() *http.Response {
			return reply(200, "text/csv", twoRows, "x-ratelimit-remaining", "0", "x-ratelimit-reset", fmt.Sprint(time.Now().Add(time.Minute).UnixMilli()))
		}, "", schema.WaitQuota, time.Minute},
		{"query error", func() *http.Response { return refusal(500, schema.QueryError) }, schema.QueryError, schema.WaitBreaker, time.Minute},
		{"query error after rows", func() *http.Response {
			return reply(200, "text/csv", twoRows+`{"result":"fail","message":"query_error"}`)
		}, schema.QueryError, schema.WaitBreaker, time.Minute},
		{"too many calls", func() *http.Response {
			return refusal(429, schema.TooManyAPIRequests, "X-Rate-Limit-Remaining", "0", "X-Rate-Limit-Reset", fmt.Sprint(time.Now().Add(time.Minute).Unix()))
		}, schema.TooManyAPIRequests, schema.WaitQuota, time.Minute},
		{"too many calls, Retry-After", func() *http.Response { return refusal(429, schema.TooManyAPIRequests, "Retry-After", "90") }, schema.TooManyAPIRequests, schema.WaitQuota, 90 * time.Second},
		{"refused token", func() *http.Response { return refusal(401, schema.UnauthorizedToken) }, schema.UnauthorizedToken, schema.WaitToken, 10 * time.Minute},
		{"bad gateway", func() *http.Response { return reply(502, "text/html", "<html>", "Retry-After", "120") }, schema.NotCSV, schema.WaitBackoff, 2 * time.Minute},
		{"no newline at the end", func() *http.Response { return reply(200, "text/csv", strings.TrimSuffix(twoRows, "\n")) }, schema.MaybeTorn, "", noEnd},
		{"an open quote", func() *http.Response { return reply(200, "text/csv", twoRows+"\"") }, schema.OpenQuote, "", noEnd},
		{"invalid parameter", func() *http.Response { return refusal(400, schema.InvalidParameter) }, schema.InvalidParameter, "", noEnd},
		{"out of reach", func() *http.Response { return refusal(400, schema.ExceedDateRangeLimit) }, schema.ExceedDateRangeLimit, "", noEnd},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := &exportapi.Client{
					BaseURL: "https://api.test", Service: "1", Token: func() (schema.Secret, error) { return "s3cret", nil },
					Transport: server(func(*http.Request) *http.Response { return c.answer() }),
				}
				s, err := connector.NewSource(client, limiter.Policy{Failures: 1}, nil)
				if err != nil {
					t.Fatal(err)
				}
				_, end := rows(t, s, export)
				f, _ := errors.AsType[*schema.Failure](end)
				switch {
				case c.code == "" && end != io.EOF:
					t.Fatalf("ended with %v", end)
				case c.code != "" && (f == nil || f.Code != c.code || f.Request.Breaker != "closed"):
					t.Fatalf("ended with %+v, want %s", end, c.code)
				}
				now := time.Now()
				_, wait := s.Reserve(now, 0)
				if left := wait.Until.Sub(now); wait.For != c.reason || c.left != noEnd && (left < c.left || left > c.left+time.Second) {
					t.Errorf("wait for %q, %v; want %q, %v", wait.For, left, c.reason, c.left)
				}
			})
		})
	}
}

// TestLineEndLearner_EarlierHabit: the conclusion of an earlier release that the API omits the
// last newline counts as unproven. It stays in the state until a counter-example disproves it.
func TestLineEndLearner_EarlierHabit(t *testing.T) {
	const claimed = `{"version":1,"habit":{"unterminated_lines_are_whole":true}}`
	learner := &exportapi.LineEndLearner{}
	text := "id,v\n1,2"
	api := &exportapi.Client{
		BaseURL: "https://api.test", Service: "1", Token: func() (schema.Secret, error) { return "s3cret", nil }, LineEnds: learner,
		Transport: server(func(*http.Request) *http.Response { return reply(200, "text/csv", text) }),
	}
	s, err := connector.NewSource(api, limiter.Policy{}, []byte(claimed))
	if err != nil {
		t.Fatal(err)
	}
	if f, ok := errors.AsType[*schema.Failure](endOf(t, api)); !ok || f.Code != schema.MaybeTorn || learner.Believed() {
		t.Errorf("believed %v: %v", learner.Believed(), f)
	}
	if hint := learner.Hint(); !strings.Contains(hint, "DFINERY_FINAL_NEWLINE=optional") || !strings.Contains(hint, "0 of 3") || string(s.State()) != claimed {
		t.Errorf("hint %q, state %s", hint, s.State())
	}
	text = "id,v\n1,23\n"
	if end := endOf(t, api); end != io.EOF {
		t.Error(end)
	}
	if want := strings.Replace(claimed, "true", "false", 1); learner.Hint() != "" || string(s.State()) != want {
		t.Errorf("hint %q, state %s", learner.Hint(), s.State())
	}
	for _, mode := range []exportapi.FinalNewline{exportapi.NewlineOptional, exportapi.NewlineRequired} {
		api.LineEnds = &exportapi.LineEndLearner{Mode: mode}
		if _, err := connector.NewSource(api, limiter.Policy{}, []byte(claimed)); err != nil || api.LineEnds.Hint() != "" {
			t.Errorf("%s: hint %q, %v", mode, api.LineEnds.Hint(), err)
		}
	}
}

// endOf exports a day and returns the error at the end of its body.
func endOf(t *testing.T, c *exportapi.Client) error {
	t.Helper()
	body, err := c.Export(t.Context(), schema.Export{Service: "1", Stream: "events", Kind: schema.Event, Key: "id", Day: 20000, N: 1, Attempt: 1})
	if err != nil {
		return err
	}
	defer body.Close()
	for {
		if _, err := body.Next(); err != nil {
			return err
		}
	}
}
