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

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector"
	"dfinery-kafka/connector/limiter"
	"dfinery-kafka/schema"
)

// server answers HTTP requests in the process: the real client and source, without a network.
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

// rows exports one day through the source and says how it ended.
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
		left   time.Duration // at least, and a second more at most
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
		{"invalid parameter", func() *http.Response { return refusal(400, schema.InvalidParameter) }, schema.InvalidParameter, "", noEnd},
		{"out of reach", func() *http.Response { return refusal(400, schema.ExceedDateRangeLimit) }, schema.ExceedDateRangeLimit, "", noEnd},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := &connector.Client{
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

func TestLineEndsArePartOfTheState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := strings.TrimSuffix(twoRows, "\n")
		client := func() *connector.Client {
			return &connector.Client{
				BaseURL: "https://api.test", Service: "1", Token: func() (schema.Secret, error) { return "s3cret", nil }, LineEnds: new(connector.LineEndLearner),
				Transport: server(func(*http.Request) *http.Response { return reply(200, "text/csv", body) }),
			}
		}
		var got []string
		var state []byte
		for _, day := range []schema.Day{20000, 20000, 20001, 20001} {
			s, err := connector.NewSource(client(), limiter.Policy{RetryBackoff: 1, RetryMaxBackoff: 1}, state)
			if err != nil {
				t.Fatal(err)
			}
			<-time.After(time.Second)
			lines, end := rows(t, s, schema.Export{Stream: "events", Kind: schema.Event, Key: "df_unified_id", Day: day})
			got = append(got, fmt.Sprint(len(lines), " ", end == io.EOF))
			state = s.State()
		}
		// Two days that end twice with the same line: it is whole.
		if diff := cmp.Diff([]string{"2 false", "2 false", "2 false", "3 true"}, got); diff != "" {
			t.Error(diff)
		}
	})
}
