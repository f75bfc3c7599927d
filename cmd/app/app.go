// Package app joins source, pipeline and admin server: what the command and the demo share.
package app

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"dfinery-kafka/cmd/admin"
	"dfinery-kafka/cmd/config"
	"dfinery-kafka/connector"
	"dfinery-kafka/connector/charset"
	"dfinery-kafka/connector/csv"
	"dfinery-kafka/connector/exportapi"
	"dfinery-kafka/connector/limiter"
	"dfinery-kafka/pipeline"
	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/profiles"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
	"dfinery-kafka/schema/privacy"
	"dfinery-kafka/schema/registry"
)

// App is one service, ready to run.
type App struct {
	Service *pipeline.Service

	config     *config.Config
	cluster    *cluster.Cluster
	log        *slog.Logger
	token      *config.TokenFile
	ownerships ownerships
	admin      *admin.Server // nil without ADMIN_ADDR
	ending     atomic.Bool   // Run's context has ended
}

// Options are what the environment does not say.
type Options struct {
	Version string
	Commit  string // empty: not known
	Once    bool
	Preview bool // register no schemas; the App is not run
	Log     *slog.Logger
	Legacy  func() // called when config.LegacyLogin is to be said; nil: it is logged
	// Transport reaches the API by other ways than the network's, and Kafka changes how the brokers are reached. Only tests set them.
	Transport http.RoundTripper
	Kafka     func(*cluster.Config)
	// Step is told of each step that a crash may come between. Only tests set it.
	Step func(string)
}

// New wires a service as c says. It connects to nothing yet; an error is a wrong configuration.
func New(c *config.Config, o Options) (*App, error) {
	if o.Legacy == nil {
		o.Legacy = func() { o.Log.Warn(config.LegacyLogin, "do", config.LegacyLoginRemedy) }
	}
	reach := kafkaConfig(c, o.Legacy)
	reach.Slow = func(request string, after time.Duration) {
		o.Log.Warn("Kafka has not answered a request yet", "request", request, "for", after.String(), "do", lookAtBrokers)
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
	client := a.Client(o)
	host, _ := os.Hostname()
	a.Service = &pipeline.Service{
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
		Redact: client.Redact,
		NewSource: func(state, lineEnds json.RawMessage) (pipeline.Source, error) {
			if err := client.LineEnds.Restore(lineEnds); err != nil {
				return nil, err
			}
			source, err := connector.NewSource(client, a.Policy(), state)
			if err != nil {
				return nil, err
			}
			if hint := client.LineEnds.Hint(); hint != "" {
				o.Log.Warn("last lines without a newline", "do", hint)
			}
			a.ownerships.begin(source)
			return adapter{source}, nil
		},
	}
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

// lookAtBrokers is what there is to do about an answer that is late.
const lookAtBrokers = "nothing, if it passes: it is waited for, and asked for again. Else look at the brokers, the network on the way to them, replicas that lag, client quotas"

// Close ends the connections of an App that is not run.
func (a *App) Close() { a.cluster.Close() }

// Run works until ctx ends, or with Once until nothing is due any more.
func (a *App) Run(ctx context.Context) error {
	defer a.cluster.Close()
	stop, err := a.serve(ctx)
	if err != nil {
		return err
	}
	defer stop()
	return a.Service.Run(ctx)
}

// Moved is how many rows were met since the start, published or known, and the bytes that they came in.
func (a *App) Moved() (rows, bytes int64) {
	for _, t := range a.Service.Totals() {
		rows += t.Published + t.Duplicates
		bytes += t.Bytes
	}
	return rows, bytes
}

// instance names this process among those of all machines and times.
func instance(host string) string {
	return fmt.Sprintf("%s-%d-%x", host, os.Getpid(), time.Now().UnixMilli())
}

// NewCluster is the Kafka cluster that c names. legacy is called when config.LegacyLogin is to be said.
func NewCluster(c *config.Config, legacy func()) (*cluster.Cluster, error) {
	return cluster.New(kafkaConfig(c, legacy))
}

func kafkaConfig(c *config.Config, legacy func()) cluster.Config {
	k := cluster.Config{Brokers: c.Kafka.Brokers}
	for i := range c.Streams {
		k.Topics = append(k.Topics, string(c.Streams[i].Topic))
	}
	k.Topics = append(k.Topics, string(c.Publish.DeadLetterTopic), string(c.Publish.LedgerTopic), string(c.Publish.LedgerTopic)+".rows")
	if c.Kafka.TLS {
		k.TLS = &cluster.TLS{CAFile: c.Kafka.CAFile, CertFile: c.Kafka.CertFile, KeyFile: c.Kafka.KeyFile}
	}
	if c.Kafka.Mechanism != "" {
		k.SASL = login(&c.Kafka, legacy)
	}
	return k
}

func login(k *config.Kafka, legacy func()) *cluster.SASL {
	if k.Mechanism == config.OAuthBearer {
		credentials := &cluster.ClientCredentials{
			TokenURL: string(k.TokenURL), ClientID: k.ClientID, Secret: secret(k.ClientSecret, k.ClientSecretFile), Scopes: k.Scope, Legacy: legacy,
		}
		return &cluster.SASL{Mechanism: string(k.Mechanism), Token: credentials.Token}
	}
	return &cluster.SASL{Mechanism: string(k.Mechanism), Username: k.Username, Password: secret(k.Password, k.PasswordFile), Legacy: legacy}
}

// secret is read from its file each time, if it has one.
func secret(plain schema.Secret, file string) func() (string, error) {
	return func() (string, error) {
		if file == "" {
			return plain.Reveal(), nil
		}
		read, err := config.ReadSecret(file)
		return read.Reveal(), err
	}
}

// Client reaches the API as the configuration says.
func (a *App) Client(o Options) *exportapi.Client {
	d := &a.config.DFINERY
	token := func() (schema.Secret, error) { return schema.Secret(d.Token.Reveal()), nil }
	if a.token != nil {
		token = a.token.Secret
	}
	client := &exportapi.Client{
		BaseURL: string(d.BaseURL), Service: string(d.Service), Token: token, ToDateExclusive: d.ToDate == config.Exclusive,
		HeaderTimeout: d.HeaderTimeout, IdleTimeout: d.IdleTimeout, Version: o.Version, RecoverQuotes: d.OpenQuote == config.RecoverQuote,
		LineEnds:  &exportapi.LineEndLearner{Mode: exportapi.FinalNewline(d.FinalNewline), Log: a.log},
		Transport: o.Transport, EmptyDay: d.EmptyDay, Log: a.log,
	}
	if declared, err := charset.Parse(string(d.Charset)); err == nil {
		client.Charset = &declared
	}
	return client
}

// Policy is how the source treats the API.
func (a *App) Policy() limiter.Policy {
	c := a.config
	p := limiter.Policy{
		CallsPerHour: c.DFINERY.CallsPerHour, ConcurrentCalls: c.DFINERY.ConcurrentCalls,
		Failures: c.Breaker.Failures, OpenFor: c.Breaker.OpenFor, MaxOpenFor: c.Breaker.MaxOpenFor, TripOn: c.Breaker.TripOn,
		RetryBackoff: c.Retry.Backoff, RetryMaxBackoff: c.Retry.MaxBackoff, Log: a.log,
	}
	if a.token != nil {
		p.Token = a.token
	}
	return p
}

// rawOf is what dead letters show.
func rawOf(raw config.DeadLetterRaw) transfer.Raw {
	switch raw {
	case config.RawRedacted:
		return transfer.RawRedacted
	case config.RawNone:
		return transfer.RawNone
	}
	return transfer.RawFull
}

func streams(c *config.Config, schemas *registry.Client) []transfer.Stream {
	list := make([]transfer.Stream, len(c.Streams))
	for i := range c.Streams {
		s := &c.Streams[i]
		list[i] = transfer.Stream{
			Stream: schedule.Stream{
				Name: s.Name, Kind: s.Export, Changes: s.Mode == config.ModeChanges, Topic: string(s.Topic), Key: schema.Key(s.Key), Empty: s.Empty, Format: string(s.Format), Contract: s.Contract,
				Filter: schema.Filter{Events: s.Events, ExcludeEvents: s.ExcludeEvents, Properties: s.Properties, ExcludeProperties: s.ExcludeProperties, Audience: s.Audience, Identities: s.Identities},
				Poll:   s.PollInterval, Lookback: s.Lookback, LookbackInterval: s.LookbackInterval, StartBack: s.Start.Back,
			},
			Values:     values(s, schemas),
			Headers:    transfer.HeaderOptions{Columns: s.Headers, CloudEvents: s.CloudEvents, ContentType: s.Format.ContentType()},
			NewEncoder: func() encoding.Encoder { return &encoding.JSON{Empty: s.Empty} },
			MaxBad:     float64(s.MaxBad),
			Deletes:    profiles.Policy{Never: s.Deletes == config.DeletesNever, After: s.DeleteAfter, Most: float64(s.DeleteMost)},
			Meta:       s.Meta,
			Raw:        rawOf(c.Publish.DeadLetterRaw.Of(s)),
		}
		if p := privacy.New(s.Hidden(), c.Privacy.Key); p != nil {
			list[i].Privacy, list[i].Hidden, list[i].HiddenKey = p, p.ListsIdentity(), p.KeyID()
		}
		if s.Start.On != nil {
			list[i].StartBack, list[i].First = -1, *s.Start.On
		}
	}
	return list
}
