package exportapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/exportapi"
	"dfinery-kafka/connector/limiter"
	"dfinery-kafka/schema"
)

const token = "s3cret/T0ken+with=\"odd\" & <letters>"

func export(t *testing.T) schema.Export {
	t.Helper()
	day, err := schema.ParseDay("2026-11-22")
	if err != nil {
		t.Fatal(err)
	}
	return schema.Export{Service: "1234", Stream: "events", Kind: schema.Event, Key: "id", Day: day, N: 1, Attempt: 1}
}

func client(url string) *exportapi.Client {
	return &exportapi.Client{BaseURL: url, Service: "1234", Version: "1.2.3", Token: func() (schema.Secret, error) { return token, nil }}
}

// outcome is the result of a call.
type outcome struct {
	Columns []string
	Rows    []string // raw
	Bad     []schema.Code
	Failure *schema.Failure
}

// run makes one call and reads its body to the end. It checks that the end is returned repeatedly.
func run(t *testing.T, c *exportapi.Client, e schema.Export) outcome {
	t.Helper()
	return runCtx(t.Context(), t, c, e)
}

func runCtx(ctx context.Context, t *testing.T, c *exportapi.Client, e schema.Export) (o outcome) {
	t.Helper()
	body, err := c.Export(ctx, e)
	if err != nil {
		if !errors.As(err, &o.Failure) || body != nil {
			t.Fatalf("Export returned %v and %v", body, err)
		}
		return o
	}
	defer body.Close()
	o.Columns = body.Columns().Names
	for {
		row, err := body.Next()
		var bad *schema.BadRow
		switch {
		case err == nil:
			o.Rows = append(o.Rows, string(row.Raw))
		case errors.As(err, &bad):
			o.Bad = append(o.Bad, bad.Code)
		default:
			if err != io.EOF && !errors.As(err, &o.Failure) {
				t.Fatalf("Next returned %v", err)
			}
			if _, again := body.Next(); again != err {
				t.Errorf("the end %v became %v", err, again)
			}
			if int64(len(o.Rows)) != body.Rows() {
				t.Errorf("%d rows counted, %d returned", body.Rows(), len(o.Rows))
			}
			return o
		}
	}
}

func answer(status int, kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if kind != "" {
			w.Header().Set("Content-Type", kind)
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

func serve(t *testing.T, h http.Handler) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func TestRequest(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*schema.Export)
		to     bool
		want   string
	}{
		{name: "all events", want: `{"events_condition_type":"all","from_date":"2026-11-22","to_date":"2026-11-22"}`},
		{name: "exclusive", to: true, want: `{"events_condition_type":"all","from_date":"2026-11-22","to_date":"2026-11-23"}`},
		{name: "probe", change: func(e *schema.Export) { e.Probe = true }, want: `{"events_condition_type":"all","from_date":"2026-11-22","to_date":"2026-11-23"}`},
		{name: "exclusive probe", to: true, change: func(e *schema.Export) { e.Probe = true }, want: `{"events_condition_type":"all","from_date":"2026-11-22","to_date":"2026-11-24"}`},
		{name: "included", change: func(e *schema.Export) {
			e.Filter = schema.Filter{Events: []string{"df_purchase", "<b>"}, Properties: []string{"df_discount"}}
		}, want: `{"events":["df_purchase","<b>"],"events_condition_type":"include","properties":["df_discount"],"properties_condition_type":"include","from_date":"2026-11-22","to_date":"2026-11-22"}`},
		{name: "excluded", change: func(e *schema.Export) {
			e.Filter = schema.Filter{ExcludeEvents: []string{"a"}, ExcludeProperties: []string{"b"}}
		}, want: `{"events":["a"],"events_condition_type":"exclude","properties":["b"],"properties_condition_type":"exclude","from_date":"2026-11-22","to_date":"2026-11-22"}`},
		{name: "profiles", change: func(e *schema.Export) { e.Kind = schema.UserProfile }, want: `{"properties_condition_type":"all"}`},
		{name: "an audience's profiles", change: func(e *schema.Export) {
			e.Kind, e.Filter = schema.UserProfile, schema.Filter{Properties: []string{"b"}, Audience: "vip"}
		}, want: `{"properties":["b"],"properties_condition_type":"include","audience":"vip"}`},
		{name: "profiles with identities", change: func(e *schema.Export) {
			e.Kind, e.Filter = schema.UserProfile, schema.Filter{Identities: "all", Audience: "vip"}
		}, want: `{"properties_condition_type":"all","identities_condition_type":"all","audience":"vip"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			type request struct{ Method, Path, Query, Body, Authorization, Type, Agent, Encoding string }
			var got request
			url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got = request{r.Method, r.URL.Path, r.URL.RawQuery, string(body), r.Header.Get("Authorization"), r.Header.Get("Content-Type"), r.UserAgent(), r.Header.Get("Accept-Encoding")}
				io.WriteString(w, "id\n")
			}))
			e := export(t)
			if c.change != nil {
				c.change(&e)
			}
			api := client(url + "/")
			api.Service, api.ToDateExclusive = "12 34", c.to
			if diff := cmp.Diff(outcome{Columns: []string{"id"}}, run(t, api, e)); diff != "" {
				t.Error(diff)
			}
			want := request{"POST", "/api/v1/export/" + string(e.Kind), "service_id=12+34", c.want, "Bearer " + token, "application/json", "dfinery-kafka/1.2.3", "gzip"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if !json.Valid([]byte(got.Body)) {
				t.Errorf("%s is not JSON", got.Body)
			}
		})
	}
}

// TestFailure: a failure has the request, the answer's headers and the beginning of its body.
func TestFailure(t *testing.T) {
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", "Sun, 22 Nov 2026 10:00:00 GMT")
		w.Header().Set("Retry-After", "Sun, 22 Nov 2026 10:02:00 GMT")
		w.Header().Set("X-RateLimit-Reset", "1795341900")
		w.Header().Set("X-Rate-Limit-Remaining", "0")
		w.Header().Set("Set-Cookie", "session=1")
		w.Header().Set("Content-Type", "application/json;charset=UTF-8")
		w.WriteHeader(429)
		io.WriteString(w, `{"result":"fail","message":"too_many_api_requests"}`)
	}))
	started := time.Now()
	got := run(t, client(url), export(t)).Failure
	if got == nil {
		t.Fatal("no failure")
	}
	if got.Request.Started.Before(started) || got.Request.Duration <= 0 || got.Request.Duration > time.Minute {
		t.Errorf("started %s, took %s", got.Request.Started, got.Request.Duration)
	}
	got.Request.Started, got.Request.Duration = time.Time{}, 0
	want := &schema.Failure{
		Code: schema.TooManyAPIRequests, Class: schema.Throttled, Origin: schema.OriginAPI, Export: export(t), Status: 429, Result: "fail", Message: "too_many_api_requests",
		Detail: `export events 2026-11-22: the API answered 429 Too Many Requests, "too_many_api_requests"; no call is made until the quota's reset`,
		Headers: map[string]string{"date": "Sun, 22 Nov 2026 10:00:00 GMT", "retry-after": "Sun, 22 Nov 2026 10:02:00 GMT", "content-length": "51",
			"x-ratelimit-reset": "1795341900", "x-rate-limit-remaining": "0", "content-type": "application/json;charset=UTF-8"},
		Body: []byte(`{"result":"fail","message":"too_many_api_requests"}`), RetryAfter: 2 * time.Minute, Date: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC),
		Request: schema.Request{Method: "POST", URL: url + "/api/v1/export/event?service_id=1234", Bytes: 51,
			Body: `{"events_condition_type":"all","from_date":"2026-11-22","to_date":"2026-11-22"}`},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	limit := limiter.ParseRateLimit(got.Headers, got.Date)
	if diff := cmp.Diff(limiter.RateLimit{Known: true, Reset: time.Unix(1795341900, 0)}, limit); diff != "" {
		t.Error(diff)
	}
}

func TestRetryAfter(t *testing.T) {
	date := "Sun, 22 Nov 2026 10:00:00 GMT"
	for _, c := range []struct {
		name, value, date string
		want              time.Duration
	}{
		{"seconds", " 90 ", date, 90 * time.Second},
		{"a date", "Sun, 22 Nov 2026 11:00:00 GMT", date, time.Hour},
		{"a date in the past", "Sun, 22 Nov 2026 09:00:00 GMT", date, 0},
		{"a date without one to set it against", "Sun, 22 Nov 2020 11:00:00 GMT", "", 0},
		{"far too much", "18446744073709551615", date, 365 * 24 * time.Hour},
		{"negative", "-5", date, 0},
		{"nonsense", "later", date, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			api := client("http://api.example")
			api.Transport = canned{status: 503, header: http.Header{"Retry-After": {c.value}, "Date": {c.date}}, err: io.EOF}
			if f := run(t, api, export(t)).Failure; f == nil || f.RetryAfter != c.want {
				t.Errorf("failure %+v, want to wait %s", f, c.want)
			}
		})
	}
}
