// Package app wires source, pipeline and admin server together, for the command and the demo.
package app

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"dfinery-kafka/cmd/admin"
	"dfinery-kafka/cmd/config"
	"dfinery-kafka/connector/csv"
	"dfinery-kafka/connector/exportapi"
	"dfinery-kafka/pipeline"
	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/pipeline/schedule"
)

// App is one service, ready to run.
type App struct {
	Service *pipeline.Service

	config      *config.Config
	cluster     *cluster.Cluster
	log         *slog.Logger
	token       *config.TokenFile
	client      *exportapi.Client
	transitions transitionCounter
	admin       *admin.Server // nil without ADMIN_ADDR
	ending      atomic.Bool   // Run's context has ended
}

// Options are the settings that do not come from the environment.
type Options struct {
	Version string
	Commit  string // empty: unknown
	Once    bool
	Preview bool // register no schemas; the App is not run
	Log     *slog.Logger
	Legacy  func() // reports config.LegacyLogin; nil: it is logged
	// Transport replaces the connection to the API, and Kafka changes the connection to the
	// brokers. Only tests set them.
	Transport http.RoundTripper
	Kafka     func(*cluster.Config)
	// Step is called with the name of each point at which tests may crash the process. Only
	// tests set it.
	Step func(string)
}

// New builds a service from the configuration c. It does not connect yet; an error is a wrong
// configuration.
func New(c *config.Config, o Options) (*App, error) {
	if o.Legacy == nil {
		o.Legacy = func() { o.Log.Warn(config.LegacyLogin, "do", config.LegacyLoginRemedy) }
	}
	reach := kafkaConfig(c, o.Legacy)
	reach.Slow = func(request string, after time.Duration) {
		o.Log.Warn("Kafka has not answered a request yet", "request", request, "for", after.String(), "do", lateAnswerAdvice)
	}
	if o.Kafka != nil {
		o.Kafka(&reach)
	}
	kafka, err := cluster.New(reach)
	if err != nil {
		return nil, err
	}
	codec, err := recordbatch.NewCodec(string(c.Kafka.Compression))
	if err != nil {
		return nil, err
	}
	a := &App{config: c, cluster: kafka, log: o.Log}
	if c.DFINERY.TokenFile != "" {
		a.token = &config.TokenFile{Path: c.DFINERY.TokenFile}
	}
	schemas, err := NewRegistry(&c.Registry, o.Version)
	if err != nil {
		return nil, err
	}
	a.client = a.newClient(o)
	host, _ := os.Hostname()
	a.Service = pipeline.New(pipeline.Config{
		ID: string(c.DFINERY.Service), Location: c.DFINERY.Timezone.Location, Streams: streams(c, schemas),
		Cluster: kafka, Codec: codec,
		LedgerTopic: string(c.Publish.LedgerTopic), DeadLetterTopic: string(c.Publish.DeadLetterTopic),
		CreateTopics: c.Kafka.CreateTopics, Partitions: c.Kafka.Partitions, Replicas: c.Kafka.ReplicationFactor,
		AtLeastOnce:        c.Publish.Delivery == config.AtLeastOnce,
		CheckpointInterval: c.Publish.CheckpointInterval, FenceRenewal: c.Publish.FenceRenewal,
		OwnerHeartbeat: c.Publish.OwnerHeartbeat, StandbyAfter: c.Publish.StandbyAfter,
		ShutdownTimeout: c.Process.ShutdownTimeout, RetryBackoff: c.Retry.Backoff, RetryMaxBackoff: c.Retry.MaxBackoff,
		CommandPoll: time.Second, NarrowAfter: c.Retry.NarrowAfter,
		ConcurrentCalls: c.DFINERY.ConcurrentCalls, CallsPerHour: c.DFINERY.CallsPerHour,
		Instance: instance(host), Host: host, Version: o.Version, Log: o.Log, Step: o.Step,
		Parse:  csv.ParseRow,
		Redact: a.client.Redact, NewSource: a.newSource,
	})
	if o.Preview {
		registerNothing(a.Service.Streams, c.Registry.Register)
	}
	if o.Once {
		a.Service.Once = &schedule.Once{Attempts: c.Breaker.Failures, MaxWait: time.Minute}
		a.Service.Patience = 20 * time.Second
	}
	a.newAdmin(o)
	return a, nil
}

// Close closes the connections of an App that is not run.
func (a *App) Close() { a.cluster.Close() }

// Run runs the service until ctx ends, or with Once until nothing more is due.
func (a *App) Run(ctx context.Context) error {
	defer a.cluster.Close()
	stop, err := a.serve(ctx)
	if err != nil {
		return err
	}
	defer stop()
	return a.Service.Run(ctx)
}

// Moved returns how many rows were read since the start, published or known, and their bytes.
func (a *App) Moved() (rows, bytes int64) {
	for _, t := range a.Service.Totals() {
		rows += t.Published + t.Duplicates
		bytes += t.Bytes
	}
	return rows, bytes
}

// instance returns a unique id of this process.
func instance(host string) string {
	return fmt.Sprintf("%s-%d-%x", host, os.Getpid(), time.Now().UnixMilli())
}
