package config_test

import (
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/cmd/config"
	"dfinery-kafka/schema"
)

func TestStart(t *testing.T) {
	earlier := schema.Day(19_000)
	tests := map[string]struct {
		start config.Start
		text  string
	}{
		"today alone": {config.Start{}, "0"},
		"days back":   {config.Start{Back: 30}, "30"},
		"a date":      {config.Start{On: &earlier}, "2022-01-08"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := test.start.String(); got != test.text {
				t.Errorf("String() = %q, want %q", got, test.text)
			}
		})
	}
}

func TestCallsPerHour(t *testing.T) {
	day := schema.Day(19_000)
	event := config.Stream{Export: schema.Event, PollInterval: 10 * time.Minute, Lookback: 2, LookbackInterval: 30 * time.Minute, Start: config.Start{Back: 30}}
	tests := map[string]struct {
		change func(*config.Stream)
		want   float64
	}{
		"today and two days":             {func(*config.Stream) {}, 10},
		"no lookback":                    {func(s *config.Stream) { s.Lookback = 0 }, 6},
		"start cuts the lookback":        {func(s *config.Stream) { s.Start.Back = 1 }, 8},
		"a date cuts nothing in the end": {func(s *config.Stream) { s.Start = config.Start{On: &day} }, 10},
		"profiles":                       {func(s *config.Stream) { *s = config.Stream{Export: schema.UserProfile, PollInterval: 2 * time.Hour} }, 0.5},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			stream := event
			test.change(&stream)
			if got := stream.CallsPerHour(); got != test.want {
				t.Errorf("CallsPerHour() = %v, want %v", got, test.want)
			}
		})
	}
}

func TestCodesOfServerErrors(t *testing.T) {
	var got config.Codes
	if err := got.Decode("timeout, http_5xx"); err != nil {
		t.Fatal(err)
	}
	want := config.Codes{schema.Timeout}
	for status := 500; status < 600; status++ {
		want = append(want, schema.HTTPStatus(status))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
}

// FuzzAddresses: addresses that are accepted can be used for connections, and parsing them
// again does not change them.
func FuzzAddresses(f *testing.F) {
	for _, seed := range []string{"https://openapi.dfinery.ai", "http://[::1]:80/a/", "kafka:9092,b:1", "[fe80::1%25eth0]:1", "https://h:80//", ":1", "a b:1", "http://h?", "//h"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var base, again config.URL
		if base.Decode(text) == nil {
			parsed, err := url.Parse(string(base))
			if err != nil || parsed.Hostname() == "" || parsed.User != nil || parsed.RawQuery != "" || strings.HasSuffix(string(base), "/") {
				t.Errorf("URL %q accepted as %q: %v", text, base, err)
			}
			if err := again.Decode(string(base)); err != nil || again != base {
				t.Errorf("URL %q read again: %q, %v", base, again, err)
			}
		}
		var brokers config.Brokers
		if brokers.Decode(text) == nil {
			for _, broker := range brokers {
				if host, port, err := net.SplitHostPort(broker); err != nil || host == "" || port == "" || strings.ContainsAny(broker, " @,/") {
					t.Errorf("brokers %q accepted: %q", text, broker)
				}
			}
		}
	})
}
