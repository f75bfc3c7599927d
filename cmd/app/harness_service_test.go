package app_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/cmd/app"
	"dfinery-kafka/cmd/config"
	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/pipeline"
	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/cluster/clustertest"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// simulation is a source, a Kafka and a connector in a synctest bubble.
type simulation struct {
	t       *testing.T
	net     clustertest.Network
	brokers string
	kafka   *kfake.Cluster
	api     *exporttest.Server
	http    http.RoundTripper
	config  *config.Config
	layout  time.Duration           // how long metadata and connections are kept; 0: the defaults
	service func(*pipeline.Service) // changes the service; may be nil
	log     *slog.Logger            // nil: text, which logged returns
	text    bytes.Buffer
	logMu   sync.Mutex
}

func (w *simulation) Write(b []byte) (int, error) {
	w.logMu.Lock()
	defer w.logMu.Unlock()
	return w.text.Write(b)
}

func (w *simulation) logged() string {
	w.logMu.Lock()
	defer w.logMu.Unlock()
	return w.text.String()
}

func newSimulation(t *testing.T, api *exporttest.Server) *simulation {
	t.Helper()
	w := &simulation{t: t, api: api}
	api.Data.Columns = cmp.Or(api.Data.Columns, 12) // a row's cells are not what simulations are about
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ListenFn(w.net.Listen), kfake.BrokerConfigs(map[string]string{
		"log.retention.ms": "-1",
		// Periodic work of the broker that would run very often in simulated weeks.
		"log.cleaner.backoff.ms": "432000000", "share.record.lock.sweep.interval.ms": "21600000", "offsets.retention.check.interval.ms": "21600000",
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kafka.Close)
	w.kafka = kafka
	w.brokers = strings.Join(kafka.ListenAddrs(), ",")
	server := api.StartMemory()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	w.http = server.Client().Transport
	seoul := time.FixedZone("Asia/Seoul", 9*3600)
	w.config = &config.Config{
		DFINERY: config.DFINERY{
			BaseURL: config.URL(server.URL), Service: "1234", Token: schema.Secret("export-token"), Timezone: config.Zone{Location: seoul},
			ToDate: config.Inclusive, CallsPerHour: 100, ConcurrentCalls: 5, HeaderTimeout: 5 * time.Minute, IdleTimeout: time.Minute,
		},
		Kafka: config.Kafka{Brokers: kafka.ListenAddrs(), Compression: "snappy", CreateTopics: true, Partitions: 3, ReplicationFactor: 1},
		Publish: config.Publish{
			DeadLetterTopic: "dead", LedgerTopic: "ledger", Delivery: config.ExactlyOnce,
			CheckpointInterval: 5 * time.Minute, FenceRenewal: time.Hour, OwnerHeartbeat: 30 * time.Minute, StandbyAfter: 90 * time.Minute,
		},
		Breaker: config.Breaker{Failures: 5, OpenFor: time.Minute, MaxOpenFor: 15 * time.Minute, TripOn: config.Codes{schema.UnknownError, schema.QueryError}},
		Retry:   config.Retry{Backoff: time.Second, MaxBackoff: 10 * time.Minute, NarrowAfter: 3},
		Process: config.Process{ShutdownTimeout: 20 * time.Second},
		Streams: []config.Stream{{
			Name: "events", Export: schema.Event, Topic: "events", Key: "df_unified_id", Empty: schema.EmptyOmit,
			PollInterval: time.Hour, Lookback: 2, LookbackInterval: 6 * time.Hour, Start: config.Start{Back: 30},
		}},
	}
	return w
}

// run runs the connector for a duration, then stops it in order, as SIGTERM does.
func (w *simulation) run(d time.Duration) {
	w.t.Helper()
	a := w.wire()
	ctx, cancel := context.WithTimeout(w.t.Context(), d)
	defer cancel()
	if err := a.Run(ctx); err != nil {
		w.t.Fatalf("%v\n%s", err, w.logged())
	}
}

// wire returns a connector of which weeks can be simulated fast.
func (w *simulation) wire() *app.App {
	w.t.Helper()
	log := w.log
	if log == nil {
		log = slog.New(slog.NewTextHandler(w, nil))
	}
	a, err := app.New(w.config, app.Options{Version: "test", Log: log, Transport: w.http, Kafka: func(k *cluster.Config) {
		// Metadata never changes: requests for it, and new connections, only cost time.
		k.Dial, k.MetadataTTL, k.IdleTimeout = w.net.Dial, 1000*time.Hour, 1000*time.Hour
	}})
	if err != nil {
		w.t.Fatal(err)
	}
	if w.service != nil {
		w.service(a.Service)
	}
	a.Service.CommandPoll = 6 * time.Hour // few polls, since most tests submit no commands
	return a
}

// records returns the records of a topic that is not being written to.
func (w *simulation) records(topic string) []*kgo.Record {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(w.brokers), kgo.Dialer(w.net.Dial), kgo.KeepControlRecords())
	if err != nil {
		w.t.Fatal(err)
	}
	defer client.Close()
	var records []*kgo.Record
	err = clustertest.ReadTopic(ctx, client, topic, nil, func(r *kgo.Record) error {
		records = append(records, r)
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return records
}

// days returns the records of the stream's days in the ledger.
func (w *simulation) days() map[schema.Day]ledger.Day {
	w.t.Helper()
	days := map[schema.Day]ledger.Day{}
	for _, r := range w.records("ledger") {
		if rest, ok := strings.CutPrefix(string(r.Key), "day/1234/events/"); ok {
			day, err := schema.ParseDay(rest)
			if err != nil {
				w.t.Fatal(err)
			}
			var d ledger.Day
			if err := json.Unmarshal(r.Value, &d); err != nil {
				w.t.Fatal(err)
			}
			days[day] = d
		}
	}
	return days
}

func (w *simulation) today() schema.Day {
	return schema.DayOf(time.Now(), w.config.DFINERY.Timezone.Location)
}

// compare compares the published rows with all rows of the days.
func (w *simulation) compare(days map[schema.Day]bool) {
	w.t.Helper()
	count := map[string]int{}
	for day := range days {
		for _, record := range w.api.Data.Export(exporttest.Query{Kind: schema.Event, From: day, To: day, Export: 100}).Records() {
			text, _ := json.Marshal(record)
			count[string(text)]++
		}
	}
	for _, r := range w.records("events") {
		record := map[string]string{}
		if err := json.Unmarshal(r.Value, &record); err != nil {
			w.t.Fatal(err)
		}
		text, _ := json.Marshal(record)
		count[string(text)]--
	}
	wrong := 0
	for text, n := range count {
		if n != 0 {
			if wrong++; wrong <= 5 {
				w.t.Errorf("%+d of %s", -n, text)
			}
		}
	}
	if wrong > 0 {
		w.t.Errorf("%d rows are wrong", wrong)
	}
}
