package config_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dfinery-kafka/cmd/config"
	"dfinery-kafka/schema"
)

func TestUnknown(t *testing.T) {
	const value = canary // a misspelt secret is a secret
	tests := map[string]struct {
		set              map[string]string
		faults, warnings []config.Finding
	}{
		"slip in a stream's variable": {
			map[string]string{"STREAM_EVENTS_TOPIK": value},
			[]config.Finding{{"STREAM_EVENTS_TOPIK", "unknown variable: did you mean STREAM_EVENTS_TOPIC?"}}, nil,
		},
		"slip in the prefix": {
			map[string]string{"STREAMS_EVENTS_TOPIC": value},
			[]config.Finding{{"STREAMS_EVENTS_TOPIC", "unknown variable: did you mean STREAM_EVENTS_TOPIC?"}}, nil,
		},
		"slip in a stream's name": {
			map[string]string{"STREAM_EVENT_TOPIC": value},
			[]config.Finding{{"STREAM_EVENT_TOPIC", "belongs to no stream: STREAMS is events; did you mean STREAM_EVENTS_TOPIC?"}}, nil,
		},
		"another stream": {
			map[string]string{"STREAMS": "events,users", "STREAM_PURCHASES_TOPIC": value},
			[]config.Finding{{"STREAM_PURCHASES_TOPIC", "belongs to no stream: STREAMS is events,users, without purchases"}}, nil,
		},
		"two letters swapped": {
			map[string]string{"KAFKA_BROKRES": value},
			[]config.Finding{{"KAFKA_BROKRES", "unknown variable: did you mean KAFKA_BROKERS?"}}, nil,
		},
		"secret": {
			map[string]string{"DFINERY_EXPORT_TOKN": value},
			[]config.Finding{{"DFINERY_EXPORT_TOKN", "unknown variable: did you mean DFINERY_EXPORT_TOKEN?"}}, nil,
		},
		"lower case": {
			map[string]string{"dfinery_base_url": value},
			[]config.Finding{{"dfinery_base_url", "unknown variable: did you mean DFINERY_BASE_URL?"}}, nil,
		},
		"short name": {
			map[string]string{"STREAM": value},
			[]config.Finding{{"STREAM", "unknown variable: did you mean STREAMS?"}}, nil,
		},
		"of our prefix, far from all": {
			map[string]string{"DFINERY_PASSWORD": value, "STREAM_EVENTS_PROPERTY": value},
			[]config.Finding{
				{"DFINERY_PASSWORD", "unknown variable: `dfinery-kafka config` lists all variables"},
				{"STREAM_EVENTS_PROPERTY", "unknown variable: the nearest is STREAM_EVENTS_PROPERTIES"},
			}, nil,
		},
		"words left out or cut short": {
			map[string]string{"DFINERY_TOKEN": value, "DFINERY_SERVICE": value, "DFINERY_TOKEN_FILE": value, "STREAM_EVENTS_POLL": value, "KAFKA_SASL_USER": value},
			[]config.Finding{
				{"DFINERY_SERVICE", "unknown variable: did you mean DFINERY_SERVICE_ID?"},
				{"DFINERY_TOKEN", "unknown variable: did you mean DFINERY_EXPORT_TOKEN?"},
				{"DFINERY_TOKEN_FILE", "unknown variable: did you mean DFINERY_EXPORT_TOKEN_FILE?"},
				{"STREAM_EVENTS_POLL", "unknown variable: did you mean STREAM_EVENTS_POLL_INTERVAL?"},
			}, []config.Finding{{"KAFKA_SASL_USER", "unknown variable, it has no effect: did you mean KAFKA_SASL_USERNAME?"}},
		},
		"proxies": {
			map[string]string{"HTTPS_PROXI": value, "https_prxy": value, "FTP_PROXY": value},
			[]config.Finding{
				{"HTTPS_PROXI", "unknown variable: did you mean HTTPS_PROXY?"},
				{"https_prxy", "unknown variable: did you mean https_proxy?"},
			}, nil,
		},
		"Kafka's own": {
			map[string]string{"KAFKA_HEAP_OPTS": value, "KAFKA_OPTS": value, "KAFKA_HOME": value},
			nil, []config.Finding{
				{"KAFKA_HEAP_OPTS", "unknown variable, it has no effect"},
				{"KAFKA_HOME", "unknown variable, it has no effect"},
				{"KAFKA_OPTS", "unknown variable, it has no effect"},
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			setenv(t, "", test.set)
			_, report, err := config.Load()
			if diff := cmp.Diff(test.faults, report.Faults, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.warnings, report.Warnings, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
			expectNoSecret(t, report, err)
		})
	}
}

func TestWarnings(t *testing.T) {
	sasl := map[string]string{"KAFKA_SASL_MECHANISM": "PLAIN", "KAFKA_SASL_USERNAME": "me", "KAFKA_SASL_PASSWORD": canary}
	local := map[string]string{"KAFKA_BROKERS": "127.0.0.1:9092,localhost:9093"}
	for name, value := range sasl {
		local[name] = value
	}
	profile := map[string]string{"STREAM_EVENTS_EXPORT": "userprofile", "STREAM_EVENTS_KEY": "event_name", "STREAM_EVENTS_PROPERTIES": "df_gender"}
	today := schema.DayOf(time.Now(), time.UTC) // in the time zone of the two cases that need it
	const left = ", which the stream's properties exclude: without that column the stream is halted"
	tests := map[string]struct {
		set  map[string]string
		want []config.Finding
	}{
		"http":                 {map[string]string{"DFINERY_BASE_URL": "http://proxy"}, []config.Finding{{"DFINERY_BASE_URL", "is not https: the token and all rows can be read in transit"}}},
		"http to this machine": {map[string]string{"DFINERY_BASE_URL": "http://[::1]:80"}, nil},
		"plain login":          {sasl, []config.Finding{{"KAFKA_SASL_MECHANISM", "is PLAIN without KAFKA_TLS: the password can be read in transit"}}},
		"plain login here":     {local, nil},
		"profiles of nobody":   {map[string]string{"ADMIN_ADDR": "", "ADMIN_PPROF": "true"}, []config.Finding{{"ADMIN_PPROF", "has no effect: ADMIN_ADDR is empty"}}},
		"key not asked for":    {map[string]string{"STREAM_EVENTS_KEY": "user", "STREAM_EVENTS_PROPERTIES": "a,b"}, []config.Finding{{"STREAM_EVENTS_KEY", `names "user"` + left}}},
		"key left out":         {map[string]string{"STREAM_EVENTS_KEY": "user", "STREAM_EVENTS_EXCLUDE_PROPERTIES": "user"}, []config.Finding{{"STREAM_EVENTS_KEY", `names "user"` + left}}},
		"key asked for":        {map[string]string{"STREAM_EVENTS_KEY": "user", "STREAM_EVENTS_PROPERTIES": "a,user"}, nil},
		"key of every event":   {map[string]string{"STREAM_EVENTS_KEY": "event_name", "STREAM_EVENTS_PROPERTIES": "a"}, nil},
		"start before the reach": {map[string]string{"DFINERY_TIMEZONE": "UTC", "STREAM_EVENTS_START": (today - 40).String()}, []config.Finding{{"STREAM_EVENTS_START",
			(today - 40).String() + " is before the last 30 days that the API exports: the first day that can be exported is " + (today - 30).String()}}},
		"start in the future": {map[string]string{"DFINERY_TIMEZONE": "UTC", "STREAM_EVENTS_START": (today + 2).String()},
			[]config.Finding{{"STREAM_EVENTS_START", (today + 2).String() + " is in the future: the stream exports nothing until then"}}},
		"a proxy that Go ignores": {map[string]string{"all_proxy": "http://proxy:3128"},
			[]config.Finding{{"all_proxy", "has no effect, calls are made without a proxy: set HTTPS_PROXY, and HTTP_PROXY for plain http"}}},
		"a pattern that matches nothing": {map[string]string{"NO_PROXY": "10.*"},
			[]config.Finding{{"NO_PROXY", "contains an entry with * that matches no host: use * alone or before a domain, as in *.example.com"}}},
		"key of events, profiles": {profile, []config.Finding{{"STREAM_EVENTS_KEY", `names "event_name"` + left}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			setenv(t, "", test.set)
			_, report, err := config.Load()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, report.Warnings, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}
