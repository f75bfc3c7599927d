package app_test

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/cmd/app"
	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/connector/limiter"
	"dfinery-kafka/pipeline"
	"dfinery-kafka/schema"
)

// failingAPI answers each call with unknown_error.
type failingAPI struct{}

func (failingAPI) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusInternalServerError, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(`{"result":"fail","message":"unknown_error"}`)),
	}, nil
}

// TestBreaker_TransitionsAcrossTakeovers: the counts of the breaker's transitions continue
// when the service is taken over again, with a new source.
func TestBreaker_TransitionsAcrossTakeovers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newSimulation(t, &exporttest.Server{})
		w.config.Breaker.Failures = 2
		a, err := app.New(w.config, app.Options{Version: "test", Log: slog.New(slog.DiscardHandler), Transport: failingAPI{}})
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		if v := a.Look(time.Now()); v.Source != nil || len(v.Transitions) != 0 {
			t.Errorf("before the first ownership: %+v %v", v.Source, v.Transitions)
		}
		source, err := a.Service.NewSource(nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		call := func() {
			t.Helper()
			permit, wait := source.Reserve(time.Now(), 0)
			if permit == nil {
				t.Fatalf("no call: %+v", wait)
			}
			var failure *schema.Failure
			if _, err := permit.Export(t.Context(), schema.Export{Service: "1234", Stream: "events", Kind: schema.Event, Day: schema.DayOf(time.Now(), time.UTC)}); !errors.As(err, &failure) {
				t.Fatalf("an export of a failing API: %v", err)
			}
		}
		call()
		call()
		opened := map[limiter.Transition]int{{From: "closed", To: "open"}: 1}
		if diff := cmp.Diff(opened, a.Look(time.Now()).Transitions); diff != "" {
			t.Errorf("after two failures (-want +got):\n%s", diff)
		}
		if source, err = a.Service.NewSource(source.State(), source.LineEnds()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(opened, a.Look(time.Now()).Transitions); diff != "" {
			t.Errorf("after the next takeover (-want +got):\n%s", diff)
		}
		time.Sleep(2 * time.Minute)
		call() // the probe
		want := map[limiter.Transition]int{{From: "closed", To: "open"}: 1, {From: "open", To: "half-open"}: 1, {From: "half-open", To: "open"}: 1}
		v := a.Look(time.Now())
		if diff := cmp.Diff(want, v.Transitions); diff != "" {
			t.Errorf("after a failed probe (-want +got):\n%s", diff)
		}
		if v.Source.Breaker.State != "open" || v.Pipeline.Role != pipeline.RoleStarting || v.Stopping {
			t.Errorf("the view: breaker %+v, role %s, stopping %t", v.Source.Breaker, v.Pipeline.Role, v.Stopping)
		}
	})
}
