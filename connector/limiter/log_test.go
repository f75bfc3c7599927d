package limiter_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/limiter"
	"dfinery-kafka/schema"
)

func TestEachChangeIsOneLine(t *testing.T) {
	file := newTokenSource()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		write(file, "s3cret")
		s := open(t, limiter.Policy{Failures: 2, Token: file, Log: slog.New(slog.NewJSONHandler(&out, nil))}, nil)
		must(t, s, query)
		must(t, s, system)
		<-time.After(time.Minute)
		must(t, s, query)
		<-time.After(2 * time.Minute)
		_ = finishSlice(reserve(t, s), query)
		<-time.After(2 * time.Minute)
		must(t, s, good)
		must(t, s, answer{fail: &schema.Failure{Class: schema.Trouble, Code: schema.Timeout, RetryAfter: time.Hour}})
		<-time.After(time.Hour)
		must(t, s, good)
		must(t, s, throttled(5*time.Second))
		<-time.After(5 * time.Second)
		must(t, s, unauthorized)
		<-time.After(10 * time.Minute)
		must(t, s, unauthorized)
		<-time.After(10 * time.Minute)
		must(t, s, good)
		must(t, s, unauthorized)
		write(file, "s3cret2")
		must(t, s, good)
		remove(file)
		for range 3 {
			<-time.After(time.Second)
			must(t, s, good)
		}

		var got []string
		for line := range strings.Lines(out.String()) {
			var l map[string]any
			if err := json.Unmarshal([]byte(line), &l); err != nil {
				t.Fatal(err)
			}
			text := fmt.Sprint(l["level"], " ", l["msg"])
			for _, key := range []string{"cause", "code", "next_try"} {
				if l[key] != nil {
					text += fmt.Sprint("; ", key, " ", strings.TrimPrefix(fmt.Sprint(l[key]), "2000-01-01T"))
				}
			}
			got = append(got, text)
		}
		wanted := []string{
			"ERROR breaker opened; cause 1 × query_error, 1 × unknown_error in a row; next_try 00:01:01Z",
			"INFO breaker half-open: the next call is a probe; cause 1 × query_error, 1 × unknown_error in a row",
			"ERROR breaker stays open: the probe failed; cause 1 × query_error, 1 × unknown_error in a row; code query_error; next_try 00:03:01Z",
			"INFO breaker half-open: the next call is a probe; cause 1 × query_error, 1 × unknown_error in a row",
			"ERROR breaker stays open: the probe, a slice of a day, failed; cause 1 × query_error, 1 × unknown_error in a row; next_try 00:05:01Z",
			"INFO breaker half-open: the next call is a probe; cause 1 × query_error, 1 × unknown_error in a row",
			"INFO breaker closed: the probe succeeded; cause 1 × query_error, 1 × unknown_error in a row",
			"WARN connection to the API fails: one call at a time until one succeeds; code timeout; next_try 01:05:01Z",
			"INFO connection to the API recovered; code timeout",
			"WARN throttled by the API; next_try 01:05:06Z",
			"ERROR token refused by the API: all calls wait until its file changes; next_try 01:15:06Z",
			"INFO token accepted again: calls resume",
			"ERROR token refused by the API: all calls wait until its file changes; next_try 01:35:06Z",
			"INFO token changed: calls resume",
			"ERROR can't read the token file: the token read before remains in use until the API refuses it",
		}
		if diff := cmp.Diff(wanted, got); diff != "" {
			t.Error(diff)
		}
		if strings.Contains(out.String(), "s3cret") || strings.Contains(string(saved(t, s)), "s3cret") {
			t.Error("the token shows")
		}
	})
}
