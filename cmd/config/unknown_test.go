package config_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dfinery-kafka/cmd/config"
)

func TestUnknown(t *testing.T) {
	const value = canary // a misspelt secret is a secret
	tests := map[string]struct {
		set              map[string]string
		faults, warnings []config.Finding
	}{
		"slip in a stream's variable": {
			map[string]string{"STREAM_EVENTS_TOPIK": value},
			[]config.Finding{{"STREAM_EVENTS_TOPIK", "is not a variable of ours: is STREAM_EVENTS_TOPIC meant?"}}, nil,
		},
		"slip in the prefix": {
			map[string]string{"STREAMS_EVENTS_TOPIC": value},
			[]config.Finding{{"STREAMS_EVENTS_TOPIC", "is not a variable of ours: is STREAM_EVENTS_TOPIC meant?"}}, nil,
		},
		"slip in a stream's name": {
			map[string]string{"STREAM_EVENT_TOPIC": value},
			[]config.Finding{{"STREAM_EVENT_TOPIC", "belongs to no stream: STREAMS is events; is STREAM_EVENTS_TOPIC meant?"}}, nil,
		},
		"another stream": {
			map[string]string{"STREAMS": "events,users", "STREAM_PURCHASES_TOPIC": value},
			[]config.Finding{{"STREAM_PURCHASES_TOPIC", "belongs to no stream: STREAMS is events,users, without purchases"}}, nil,
		},
		"two letters swapped": {
			map[string]string{"KAFKA_BROKRES": value},
			[]config.Finding{{"KAFKA_BROKRES", "is not a variable of ours: is KAFKA_BROKERS meant?"}}, nil,
		},
		"secret": {
			map[string]string{"DFINERY_EXPORT_TOKN": value},
			[]config.Finding{{"DFINERY_EXPORT_TOKN", "is not a variable of ours: is DFINERY_EXPORT_TOKEN meant?"}}, nil,
		},
		"lower case": {
			map[string]string{"dfinery_base_url": value},
			[]config.Finding{{"dfinery_base_url", "is not a variable of ours: is DFINERY_BASE_URL meant?"}}, nil,
		},
		"short name": {
			map[string]string{"STREAM": value},
			[]config.Finding{{"STREAM", "is not a variable of ours: is STREAMS meant?"}}, nil,
		},
		"of our prefix, far from all": {
			map[string]string{"DFINERY_PASSWORD": value, "STREAM_EVENTS_PROPERTY": value},
			[]config.Finding{
				{"DFINERY_PASSWORD", "is not a variable of ours: `dfinery-kafka config` lists them"},
				{"STREAM_EVENTS_PROPERTY", "is not a variable of ours: the nearest is STREAM_EVENTS_PROPERTIES"},
			}, nil,
		},
		"Kafka's own": {
			map[string]string{"KAFKA_HEAP_OPTS": value, "KAFKA_OPTS": value, "KAFKA_HOME": value},
			nil, []config.Finding{
				{"KAFKA_HEAP_OPTS", "is not a variable of ours, and has no effect"},
				{"KAFKA_HOME", "is not a variable of ours, and has no effect"},
				{"KAFKA_OPTS", "is not a variable of ours, and has no effect"},
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
			wantNoSecret(t, report, err)
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
	const left = ", which the stream's properties leave out: without that column the stream is halted"
	tests := map[string]struct {
		set  map[string]string
		want []config.Finding
	}{
		"http":                    {map[string]string{"DFINERY_BASE_URL": "http://proxy"}, []config.Finding{{"DFINERY_BASE_URL", "is not https: the token and all rows can be read on their way"}}},
		"http to this machine":    {map[string]string{"DFINERY_BASE_URL": "http://[::1]:80"}, nil},
		"plain login":             {sasl, []config.Finding{{"KAFKA_SASL_MECHANISM", "is PLAIN without KAFKA_TLS: the password can be read on its way"}}},
		"plain login here":        {local, nil},
		"profiles of nobody":      {map[string]string{"ADMIN_ADDR": "", "ADMIN_PPROF": "true"}, []config.Finding{{"ADMIN_PPROF", "has no effect: ADMIN_ADDR is empty"}}},
		"key not asked for":       {map[string]string{"STREAM_EVENTS_KEY": "user", "STREAM_EVENTS_PROPERTIES": "a,b"}, []config.Finding{{"STREAM_EVENTS_KEY", `names "user"` + left}}},
		"key left out":            {map[string]string{"STREAM_EVENTS_KEY": "user", "STREAM_EVENTS_EXCLUDE_PROPERTIES": "user"}, []config.Finding{{"STREAM_EVENTS_KEY", `names "user"` + left}}},
		"key asked for":           {map[string]string{"STREAM_EVENTS_KEY": "user", "STREAM_EVENTS_PROPERTIES": "a,user"}, nil},
		"key of every event":      {map[string]string{"STREAM_EVENTS_KEY": "event_name", "STREAM_EVENTS_PROPERTIES": "a"}, nil},
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
