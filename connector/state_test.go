package connector_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector"
	"dfinery-kafka/connector/limiter"
	"dfinery-kafka/schema"
)

func TestState_Invalid(t *testing.T) {
	for _, c := range []struct{ name, state, want string }{
		{"none", ``, ""},
		{"fresh", `{"version":1}`, ""},
		{"garbage", `not json`, "read the source's state: invalid character"},
		{"another form", `[1,2]`, "read the source's state: json: cannot unmarshal array"},
		{"no version", `{}`, "read the source's state: version 0"},
		{"a newer release's", `{"version":2,"calls":"packed"}`, "read the source's state: version 2, this release reads only version 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := connector.NewFakeSource(act, limiter.Policy{}, []byte(c.state))
			if got := ""; err != nil {
				got = err.Error()
				if c.want == "" || !strings.HasPrefix(got, c.want) {
					t.Errorf("%q, want %q", got, c.want)
				}
			} else if c.want != "" {
				t.Errorf("no error, want %q", c.want)
			}
		})
	}
}

func TestState_OldCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, limiter.Policy{}, nil)
		for range 100 {
			must(t, s, good)
		}
		<-time.After(time.Hour + time.Second)
		if diff := cmp.Diff(`{"version":1,"habit":{"unterminated_lines_are_whole":false}}`, string(s.State())); diff != "" {
			t.Error(diff)
		}
	})
}

// states bring a new source into each of its possible states. Two failures open the breaker, and
// five calls an hour are allowed.
var states = []struct {
	name string
	lead func(t *testing.T, s *connector.Source)
}{
	{"fresh", func(*testing.T, *connector.Source) {}},
	{"calls made and one reserved", func(t *testing.T, s *connector.Source) {
		must(t, s, good)
		<-time.After(time.Minute)
		must(t, s, good)
		<-time.After(time.Millisecond)
		reserve(t, s)
	}},
	{"another client", func(t *testing.T, s *connector.Source) {
		must(t, s, answer{headers: map[string]string{"x-ratelimit-remaining": "1", "x-ratelimit-reset": "60"}})
	}},
	{"throttled", func(t *testing.T, s *connector.Source) {
		must(t, s, answer{fail: &schema.Failure{Class: schema.Throttled, Code: schema.TooManyAPIRequests, RetryAfter: time.Minute}})
	}},
	{"connection troubled", func(t *testing.T, s *connector.Source) {
		must(t, s, answer{fail: &schema.Failure{Class: schema.Trouble, Code: schema.CutBody, RetryAfter: time.Hour}})
	}},
	{"one failure that counts", func(t *testing.T, s *connector.Source) { must(t, s, query) }},
	{"open", func(t *testing.T, s *connector.Source) { must(t, s, query); must(t, s, system) }},
	{"open after a failed probe", func(t *testing.T, s *connector.Source) {
		must(t, s, query)
		must(t, s, system)
		<-time.After(time.Minute)
		must(t, s, query)
	}},
	{"closed again", func(t *testing.T, s *connector.Source) {
		must(t, s, query)
		must(t, s, system)
		<-time.After(time.Minute)
		must(t, s, good)
	}},
	{"all at once", func(t *testing.T, s *connector.Source) {
		must(t, s, answer{headers: map[string]string{"x-ratelimit-remaining": "3", "x-ratelimit-reset": "600"}})
		calls := []*connector.Permit{reserve(t, s), reserve(t, s), reserve(t, s)}
		_ = finish(calls[0], answer{fail: &schema.Failure{Class: schema.Throttled, Code: schema.TooManyAPIRequests, RetryAfter: time.Minute}}, schema.Export{})
		_ = finish(calls[1], query, schema.Export{})
		_ = finish(calls[2], answer{fail: &schema.Failure{Class: schema.Trouble, Code: schema.Timeout, RetryAfter: time.Hour}}, schema.Export{})
	}},
}

// TestStateOfTheFirstRelease: states of the first release, in the golden file, can be read, and
// this release writes them in the same form, so that a rollback is possible.
func TestStateOfTheFirstRelease(t *testing.T) {
	text, err := os.ReadFile("testdata/state_v1.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden map[string]json.RawMessage
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	policy := limiter.Policy{Failures: 2, CallsPerHour: 5}
	for _, c := range states {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, policy, nil)
				c.lead(t, s)
				if diff := cmp.Diff(compact(t, golden[c.name]), string(s.State())); diff != "" {
					t.Errorf("written: %s", diff)
				}
				again := open(t, policy, golden[c.name])
				if diff := cmp.Diff(s.Status(time.Now()).Breaker.State, again.Status(time.Now()).Breaker.State); diff != "" {
					t.Errorf("breaker as read: %s", diff)
				}
				read := strings.NewReplacer(`"reserved":[946684860001],`, "").Replace(compact(t, golden[c.name])) // the call may have been made since, so it counts
				if diff := cmp.Diff(read, string(again.State())); diff != "" {
					t.Errorf("read and written again: %s", diff)
				}
			})
		})
	}
}

func compact(t *testing.T, text []byte) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
