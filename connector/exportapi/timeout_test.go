package exportapi_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/schema"
)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// step is a part of a body and the delay before it.
type step struct {
	after time.Duration
	piece string
}

// slow is a transport with delays in its answers, for synctest.
type slow struct {
	headers time.Duration
	status  int
	steps   []step
}

func (s slow) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := wait(r.Context(), s.headers); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: s.status, Status: fmt.Sprint(s.status), Header: http.Header{}, ContentLength: -1, ProtoMajor: 2,
		Body: &slowBody{s.steps, r.Context()}}, nil
}

type slowBody struct {
	steps []step
	ctx   context.Context // of the request, as in the body of a transport
}

func (b *slowBody) Read(p []byte) (int, error) {
	if len(b.steps) == 0 {
		return 0, io.EOF
	}
	if err := wait(b.ctx, b.steps[0].after); err != nil {
		return 0, err
	}
	n := copy(p, b.steps[0].piece)
	b.steps = b.steps[1:]
	return n, nil
}

func (b *slowBody) Close() error { return nil }

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

func TestTimeouts(t *testing.T) {
	const header, idle, never = 10 * time.Second, 3 * time.Second, 1000 * time.Hour
	for _, c := range []struct {
		name  string
		slow  slow
		pause time.Duration // of the consumer between rows
		want  *verdict
		took  time.Duration
	}{
		{"no headers", slow{headers: never}, 0, &verdict{Code: schema.Timeout}, header},
		{"no first line", slow{status: 200, steps: []step{{time.Second, "i"}, {4 * time.Second, "d"}, {never, "\n"}}}, 0, &verdict{Code: schema.Timeout}, header},
		{"a slow first line", slow{status: 200, headers: 4 * time.Second, steps: []step{{5 * time.Second, "id\n"}}}, 0, nil, 9 * time.Second},
		{"a silent body", slow{status: 200, steps: []step{{time.Second, "id\n1\n"}, {2 * time.Second, "2\n"}, {never, "3\n"}}}, 0, &verdict{Code: schema.Timeout, Rows: 2}, 6 * time.Second},
		{"a long download", slow{status: 200, steps: append([]step{{0, "id\n"}}, many(1000, step{2 * time.Second, "1\n"})...)}, 0, nil, 2000 * time.Second},
		{"a slow consumer", slow{status: 200, steps: []step{{0, "id\n"}, {time.Second, "1\n"}, {time.Second, "2\n"}}}, time.Hour, nil, 2*time.Hour + 2*time.Second},
		{"a failure that does not end", slow{status: 500, steps: []step{{time.Second, `{"result":`}, {time.Second, ""}, {never, ""}}}, 0, &verdict{Code: "http_500"}, 4 * time.Second},
		{"a whole failure that does not end", slow{status: 401, steps: []step{{time.Second, `{"result":"fail","message":"unauthorized_token"}`}, {never, ""}}}, 0,
			&verdict{Code: schema.UnauthorizedToken, Class: schema.Unauthorized}, 4 * time.Second},
		{"JSON with 200 that does not end", slow{status: 200, steps: []step{{time.Second, `{"resu`}, {never, ""}}}, 0, &verdict{Code: schema.Timeout}, 4 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := client("http://api.example")
				api.Transport, api.HeaderTimeout, api.IdleTimeout = c.slow, header, idle
				started := time.Now()
				var failure *schema.Failure
				body, err := api.Export(t.Context(), export(t))
				if err == nil {
					for ; err == nil; _, err = body.Next() {
						if body.Rows() > 0 {
							time.Sleep(c.pause)
						}
					}
					body.Close()
				}
				if errors.As(err, &failure) != (c.want != nil) {
					t.Errorf("ended with %v", err)
				}
				if diff := cmp.Diff(c.want, verdictOf(failure)); diff != "" {
					t.Error(diff)
				}
				if took := time.Since(started); took != c.took {
					t.Errorf("took %s, want %s", took, c.took)
				}
				if c.want != nil && c.want.Code == schema.Timeout && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v is not a timeout", err)
				}
			})
		})
	}
}

func many(n int, s step) []step {
	steps := make([]step, n)
	for i := range steps {
		steps[i] = s
	}
	return steps
}

// TestCancel: a call whose context is cancelled, at any time and with any cause, has the code of a
// cancelled call.
func TestCancel(t *testing.T) {
	for name, s := range map[string]slow{
		"before the headers":    {headers: time.Hour, status: 200},
		"before the first line": {status: 200, steps: []step{{time.Hour, ""}}},
		"in the body":           {status: 200, steps: []step{{0, "id\n1\n"}, {time.Hour, ""}}},
		"in a failure":          {status: 200, steps: []step{{0, "{"}, {time.Hour, ""}}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := client("http://api.example")
				api.Transport, api.HeaderTimeout, api.IdleTimeout = s, 2*time.Hour, 2*time.Hour
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Second, func() { cancel(errors.New("the lease is lost")) })
				f := runCtx(ctx, t, api, export(t)).Failure
				if f == nil || f.Class != schema.Cancelled {
					t.Errorf("failure %+v", f)
				}
			})
		})
	}
}
