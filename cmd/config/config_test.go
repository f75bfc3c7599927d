package config_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/cmd/config"
	"dfinery-kafka/connector/exportapi"
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
)

const canary = "c4n4ry-t0k3n"

// setenv sets the environment of the test to the required variables and the given ones. The
// value "unset" removes a variable, and DIR in a value is replaced by dir.
func setenv(t *testing.T, dir string, variables map[string]string) {
	t.Helper()
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value) // restores the value at the end
		os.Unsetenv(name)
	}
	all := map[string]string{"DFINERY_SERVICE_ID": "1234", "DFINERY_EXPORT_TOKEN": canary, "KAFKA_BROKERS": "kafka:9092"}
	for name, value := range variables {
		all[name] = strings.ReplaceAll(value, "DIR", dir)
	}
	for name, value := range all {
		if value != "unset" {
			t.Setenv(name, value)
		}
	}
}

var zones = cmp.Comparer(func(a, b config.Zone) bool { return a.String() == b.String() })

func defaults(t *testing.T) *config.Config {
	t.Helper()
	seoul, err := time.LoadLocation("Asia/Seoul")
	if err != nil {
		t.Fatal(err)
	}
	return &config.Config{
		DFINERY: config.DFINERY{
			BaseURL: "https://openapi.dfinery.ai", Service: "1234", Token: canary, Timezone: config.Zone{Location: seoul}, ToDate: config.Inclusive,
			FinalNewline: exportapi.NewlineAuto, OpenQuote: config.CutAtQuote, CallsPerHour: 100, ConcurrentCalls: 5, HeaderTimeout: 5 * time.Minute, IdleTimeout: time.Minute,
		},
		Streams: []config.Stream{{
			Name: "events", Export: schema.Event, Topic: "dfinery.events", Key: "df_unified_id", Empty: schema.EmptyOmit, MaxBad: 0.5,
			Format: encoding.FormatJSON, BadValue: config.BadValueDeadLetter, Record: "dfinery.events", Subject: encoding.SubjectTopic, Contract: schema.ContractEvolve,
			PollInterval: 10 * time.Minute, Lookback: 2, LookbackInterval: time.Hour, Start: config.Start{Back: 30},
		}},
		Kafka: config.Kafka{
			Brokers: config.Brokers{"kafka:9092"}, Compression: config.Snappy, CreateTopics: true, Partitions: 6, ReplicationFactor: -1,
		},
		Registry: config.Registry{Timeout: 30 * time.Second, Register: true},
		Publish: config.Publish{
			DeadLetterTopic: "dfinery.dead-letters", LedgerTopic: "dfinery.ledger", Delivery: config.ExactlyOnce,
			CheckpointInterval: 5 * time.Second, FenceRenewal: time.Hour, OwnerHeartbeat: 30 * time.Second, StandbyAfter: 2 * time.Minute,
		},
		Breaker: config.Breaker{
			Failures: 5, OpenFor: time.Minute, MaxOpenFor: 15 * time.Minute, TripOn: config.Codes{schema.UnknownError, schema.QueryError},
		},
		Retry: config.Retry{Backoff: time.Second, MaxBackoff: 10 * time.Minute, NarrowAfter: 3},
		Process: config.Process{
			AdminAddr: ":8080", LogLevel: slog.LevelInfo, LogFormat: config.Auto, ShutdownTimeout: 20 * time.Second,
		},
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir, "token", "  from-a-file\n")
	writeFile(t, dir, "password", "with blanks\r\n")
	writePair(t, dir, "client")
	day := schema.DayOf(time.Now(), time.UTC) - 20
	tests := map[string]struct {
		set  map[string]string
		want func(*config.Config)
	}{
		"defaults": {nil, func(*config.Config) {}},
		"everything": {map[string]string{
			"DFINERY_BASE_URL": "http://localhost:8081/brand/", "DFINERY_TIMEZONE": "UTC", "DFINERY_TO_DATE": "exclusive",
			"DFINERY_CHARSET": "CP949", "DFINERY_EMPTY_DAY": "404, empty", "STREAM_BUYS_MAX_BAD": "12.5%", "STREAM_USERS_MAX_BAD": "off",
			"DFINERY_CALLS_PER_HOUR": "200", "DFINERY_CONCURRENT_CALLS": "2", "DFINERY_HEADER_TIMEOUT": "1m30s", "DFINERY_IDLE_TIMEOUT": "500ms",
			"STREAMS":            " buys , users",
			"STREAM_BUYS_EVENTS": "df_purchase, df_refund,", "STREAM_BUYS_EXCLUDE_PROPERTIES": "df_discount", "STREAM_BUYS_TOPIC": "buys",
			"STREAM_BUYS_KEY": "event_name", "STREAM_BUYS_EMPTY": "null", "STREAM_BUYS_POLL_INTERVAL": "5m", "STREAM_BUYS_LOOKBACK": "0",
			"STREAM_BUYS_LOOKBACK_INTERVAL": "30m", "STREAM_BUYS_START": day.String(),
			"STREAM_BUYS_FORMAT": "json-schema", "STREAM_BUYS_COLUMNS": "amount:decimal(10,2),df_discount:double:discount", "STREAM_BUYS_BAD_VALUE": "null",
			"STREAM_BUYS_RECORD": "shop.Buy", "STREAM_BUYS_SUBJECT": "record",
			"SCHEMA_REGISTRY_URL": "https://one:8081/, https://two/apis/ccompat/v7", "SCHEMA_REGISTRY_USERNAME": "me", "SCHEMA_REGISTRY_PASSWORD_FILE": "DIR/password",
			"SCHEMA_REGISTRY_TLS_CA_FILE": "DIR/client.pem", "SCHEMA_REGISTRY_TIMEOUT": "5s", "SCHEMA_REGISTRY_REGISTER": "false",
			"STREAM_USERS_EXPORT": "userprofile", "STREAM_USERS_AUDIENCE": "77", "STREAM_USERS_PROPERTIES": "df_gender", "DEAD_LETTER_RAW": "none",
			"KAFKA_BROKERS": "a:1, [::1]:2", "KAFKA_TLS": "true", "KAFKA_TLS_CA_FILE": "DIR/client.pem",
			"KAFKA_TLS_CERT_FILE": "DIR/client.pem", "KAFKA_TLS_KEY_FILE": "DIR/client.key", "KAFKA_SASL_MECHANISM": "PLAIN",
			"KAFKA_SASL_USERNAME": "me", "KAFKA_SASL_PASSWORD": "secret\n", "KAFKA_COMPRESSION": "zstd", "KAFKA_CREATE_TOPICS": "false",
			"KAFKA_PARTITIONS": "12", "KAFKA_REPLICATION_FACTOR": "3", "DEAD_LETTER_TOPIC": "dead", "LEDGER_TOPIC": "ledger",
			"DELIVERY": "at-least-once", "CHECKPOINT_INTERVAL": "100ms", "FENCE_RENEWAL": "12h", "OWNER_HEARTBEAT": "1s", "STANDBY_AFTER": "2s",
			"BREAKER_FAILURES": "1", "BREAKER_OPEN_FOR": "1s", "BREAKER_MAX_OPEN_FOR": "1s", "BREAKER_TRIP_ON": "http_503,timeout",
			"RETRY_BACKOFF": "2s", "RETRY_MAX_BACKOFF": "3s", "NARROW_AFTER": "1", "ADMIN_ADDR": "127.0.0.1:0", "ADMIN_PPROF": "true",
			"LOG_LEVEL": "warn", "LOG_FORMAT": "text", "SHUTDOWN_TIMEOUT": "1s",
		}, func(c *config.Config) {
			*c = config.Config{
				DFINERY: config.DFINERY{
					BaseURL: "http://localhost:8081/brand", Service: "1234", Token: canary, Timezone: config.Zone{Location: time.UTC}, ToDate: config.Exclusive,
					FinalNewline: exportapi.NewlineAuto, OpenQuote: config.CutAtQuote, Charset: "CP949", EmptyDay: config.EmptyDay{exportapi.NotFound, exportapi.Empty}, CallsPerHour: 200, ConcurrentCalls: 2, HeaderTimeout: 90 * time.Second, IdleTimeout: 500 * time.Millisecond,
				},
				Streams: []config.Stream{{
					Name: "buys", Export: schema.Event, Events: config.List{"df_purchase", "df_refund"}, ExcludeProperties: config.List{"df_discount"},
					Topic: "buys", Key: "event_name", Empty: schema.EmptyNull, MaxBad: 0.125,
					Format: encoding.FormatJSONSchema, BadValue: config.BadValueNull, Record: "shop.Buy", Subject: encoding.SubjectRecord, Contract: schema.ContractEvolve,
					Columns:      config.Columns{{Column: "amount", Type: encoding.Type{Kind: encoding.Decimal, Precision: 10, Scale: 2}}, {Column: "df_discount", Type: encoding.Type{Kind: encoding.Double}, Name: "discount"}},
					PollInterval: 5 * time.Minute, LookbackInterval: 30 * time.Minute,
					Start: config.Start{On: &day},
				}, {
					Name: "users", Export: schema.UserProfile, Properties: config.List{"df_gender"}, Audience: "77", Topic: "dfinery.users",
					Key: "df_unified_id", Empty: schema.EmptyOmit, MaxBad: 1, Mode: config.ModeAll, Deletes: config.DeletesTombstone, DeleteAfter: 24 * time.Hour, DeleteMost: 0.01,
					Format: encoding.FormatJSON, BadValue: config.BadValueDeadLetter, Record: "dfinery.users", Subject: encoding.SubjectTopic, Contract: schema.ContractEvolve,
					PollInterval: 24 * time.Hour,
				}},
				Kafka: config.Kafka{
					Brokers: config.Brokers{"a:1", "[::1]:2"}, TLS: true, CAFile: dir + "/client.pem", CertFile: dir + "/client.pem", KeyFile: dir + "/client.key",
					Mechanism: config.Plain, Username: "me", Password: "secret", Compression: config.Zstd, Partitions: 12, ReplicationFactor: 3,
				},
				Registry: config.Registry{
					URLs: config.RegistryURLs{"https://one:8081", "https://two/apis/ccompat/v7"}, Username: "me", Password: "with blanks", PasswordFile: dir + "/password",
					CAFile: dir + "/client.pem", Timeout: 5 * time.Second,
				},
				Publish: config.Publish{
					DeadLetterTopic: "dead", DeadLetterRaw: config.RawNone, LedgerTopic: "ledger", Delivery: config.AtLeastOnce, CheckpointInterval: 100 * time.Millisecond,
					FenceRenewal: 12 * time.Hour, OwnerHeartbeat: time.Second, StandbyAfter: 2 * time.Second,
				},
				Breaker: config.Breaker{Failures: 1, OpenFor: time.Second, MaxOpenFor: time.Second, TripOn: config.Codes{"http_503", schema.Timeout}},
				Retry:   config.Retry{Backoff: 2 * time.Second, MaxBackoff: 3 * time.Second, NarrowAfter: 1},
				Process: config.Process{
					AdminAddr: "127.0.0.1:0", AdminPprof: true, LogLevel: slog.LevelWarn, LogFormat: config.Text, ShutdownTimeout: time.Second,
				},
			}
		}},
		"empty means nothing": {map[string]string{
			"ADMIN_ADDR": "", "STREAM_EVENTS_EVENTS": "", "KAFKA_SASL_USERNAME": "", "DFINERY_EXPORT_TOKEN_FILE": "",
		}, func(c *config.Config) {
			c.Process.AdminAddr = ""
		}},
		"secrets from files": {map[string]string{
			"DFINERY_EXPORT_TOKEN": "unset", "DFINERY_EXPORT_TOKEN_FILE": "DIR/token", "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
			"KAFKA_SASL_USERNAME": "me", "KAFKA_SASL_PASSWORD_FILE": "DIR/password",
		}, func(c *config.Config) {
			c.DFINERY.Token, c.DFINERY.TokenFile = "from-a-file", dir+"/token"
			c.Kafka.Mechanism, c.Kafka.Username = config.ScramSHA512, "me"
			c.Kafka.Password, c.Kafka.PasswordFile = "with blanks", dir+"/password"
		}},
		"a token with the line end of its file": {map[string]string{"DFINERY_EXPORT_TOKEN": canary + "\n"}, func(*config.Config) {}},
		"the bare name is not the stream's":     {map[string]string{"TOPIC": "wrong", "KEY": "wrong", "EXPORT": "wrong", "START": "wrong"}, func(*config.Config) {}},
		"what Kubernetes injects": {map[string]string{
			"KAFKA_SERVICE_HOST": "10.0.0.1", "KAFKA_SERVICE_PORT": "9092", "KAFKA_SERVICE_PORT_TCP_CLIENT": "9092", "KAFKA_PORT": "tcp://10.0.0.1:9092",
			"KAFKA_PORT_9092_TCP": "tcp://10.0.0.1:9092", "DFINERY_KAFKA_PORT_8080_TCP_ADDR": "10.0.0.2", "STREAM_EVENTS_PORT_8080_TCP_PROTO": "tcp",
			"DFINERY_KAFKA_SERVICE_HOST": "10.0.0.2", "BREAKER_PORT": "tcp://10.0.0.3:1",
		}, func(*config.Config) {}},
		"polls for the whole quota":      {map[string]string{"DFINERY_CALLS_PER_HOUR": "8"}, func(c *config.Config) { c.DFINERY.CallsPerHour = 8 }},
		"short names a little like ours": {map[string]string{"KEYS": "x", "STREEMZ": "x", "KAFKATLZ": "x"}, func(*config.Config) {}},
		"proxies": {map[string]string{"HTTPS_PROXY": "http://me:p%25w%23@proxy:3128", "http_proxy": "proxy:3128", "NO_PROXY": "localhost, .example.com,*.example.org:80,10.0.0.0/8,::1,[::1]:80,",
			"HTTP_PROXY": "", "ALL_PROXY": "socks5://proxy", "FTP_PROXY": "http://proxy:%"}, func(*config.Config) {}},
		"what is not ours": {map[string]string{"PATH": "/bin", "LOG_DIR": "/tmp", "STREAMING": "x"}, func(*config.Config) {}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			setenv(t, dir, test.set)
			want := defaults(t)
			test.want(want)
			got, report, err := config.Load()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, zones); diff != "" {
				t.Errorf("configuration (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]config.Finding{}, report.Warnings); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}

func writeFile(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
