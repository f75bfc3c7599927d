package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

// start starts an instance.
func (s *script) start(name string, once bool) {
	i := &instance{name: name, link: &link{dial: s.net.Dial}, ended: make(chan error, 1)}
	var err error
	i.cluster, err = cluster.New(cluster.Config{Brokers: s.kafka.ListenAddrs(), Timeout: 4 * time.Second, Dial: i.link.Dial})
	s.must(err)
	codec, err := recordbatch.NewCodec("none")
	s.must(err)
	i.service = New(Config{
		ID: "1234", Location: planned, Cluster: i.cluster, Codec: codec,
		Streams: []transfer.Stream{{
			StreamConfig: schedule.StreamConfig{Name: "events", Topic: "events", Kind: schema.Event, Key: "id", Poll: time.Minute, LookbackInterval: time.Hour},
			MaxBad:       1,
		}},
		NewSource:   func(json.RawMessage, json.RawMessage) (Source, error) { return &s.api, nil },
		Redact:      func(text []byte) []byte { return text },
		LedgerTopic: "ledger", DeadLetterTopic: "dead", CreateTopics: true, Partitions: 1, Replicas: 1,
		CheckpointInterval: 5 * time.Minute, FenceRenewal: 5 * time.Minute, OwnerHeartbeat: 10 * time.Second, StandbyAfter: 30 * time.Second,
		ShutdownTimeout: 5 * time.Second, RetryBackoff: time.Second, RetryMaxBackoff: time.Minute, NarrowAfter: 3, CommandPoll: time.Hour,
		ConcurrentCalls: 1, CallsPerHour: 100,
		Instance: name, Host: "host", Version: "test", Log: slog.New(slog.NewTextHandler(i, &slog.HandlerOptions{ReplaceAttr: s.attribute})), Step: i.step,
	})
	if once {
		i.service.Once, i.service.Patience = &schedule.Once{Attempts: 1, MaxWait: time.Second}, 20*time.Second
	}
	ctx, stop := context.WithCancel(s.t.Context())
	i.stop = stop
	s.instances = append(s.instances, i)
	go func() {
		err := i.service.Run(ctx)
		i.cluster.Close()
		i.print("run returns: %v", err)
		close(i.ended)
	}()
}

func (s *script) instance(name string) *instance {
	for _, i := range slices.Backward(s.instances) { // the last one with that name
		if i.name == name {
			return i
		}
	}
	s.t.Fatalf("no instance %s", name)
	return nil
}

func (s *script) must(err error) {
	if err != nil {
		s.t.Helper()
		s.t.Fatal(err)
	}
}

// duration returns the duration after a prefix in the arguments; 0 if no argument has it.
func (s *script) duration(args []string, prefix string) time.Duration {
	for _, arg := range args {
		if text, ok := strings.CutPrefix(arg, prefix); ok {
			d, err := time.ParseDuration(text)
			s.must(err)
			return d
		}
	}
	return 0
}

// attribute removes attributes that differ between runs, and do, which is long.
func (s *script) attribute(_ []string, a slog.Attr) slog.Attr {
	switch {
	case slices.Contains([]string{slog.TimeKey, "took", "next", "do"}, a.Key):
		return slog.Attr{}
	case a.Value.Kind() == slog.KindTime:
		return slog.String(a.Key, s.since(a.Value.Time()))
	}
	return a
}

// since returns a time relative to the start of the script.
func (s *script) since(at time.Time) string {
	if at.IsZero() {
		return "never"
	}
	return "+" + at.Sub(s.began).Truncate(time.Second).String()
}

var producerText = regexp.MustCompile(`producer (\d+) epoch (\d+)`)

// name replaces the producer ids in a text by short names.
func (s *script) name(text string) string {
	return producerText.ReplaceAllStringFunc(text, func(found string) string {
		part := producerText.FindStringSubmatch(found)
		if s.producers[part[1]] == "" {
			s.producers[part[1]] = fmt.Sprintf("p%d", len(s.producers)+1)
		}
		return s.producers[part[1]] + "/" + part[2]
	})
}

// administer changes a topic with another client.
func (s *script) administer(what, topic string, args []string) {
	client, err := kgo.NewClient(kgo.SeedBrokers(s.kafka.ListenAddrs()...), kgo.Dialer(s.net.Dial))
	s.must(err)
	defer client.Close()
	admin, partitions := kadm.NewClient(client), 0
	if len(args) > 0 {
		partitions, err = strconv.Atoi(args[0])
		s.must(err)
	}
	switch what {
	case "delete":
		_, err = admin.DeleteTopic(s.t.Context(), topic)
	case "create":
		_, err = admin.CreateTopic(s.t.Context(), int32(partitions), 1, nil, topic)
	case "partitions":
		var answers kadm.CreatePartitionsResponses
		answers, err = admin.CreatePartitions(s.t.Context(), partitions, topic)
		if err == nil {
			err = answers.Error()
		}
	}
	s.must(err)
}

// show prints the owner's record, and the records and markers in the topic with their producers.
func (s *script) show(out io.Writer) {
	k, err := cluster.New(cluster.Config{Brokers: s.kafka.ListenAddrs(), Dial: s.net.Dial})
	s.must(err)
	defer k.Close()
	c := Config{ID: "1234", Cluster: k, LedgerTopic: "ledger"}
	state, err := c.Ledger().Load(s.t.Context())
	s.must(err)
	if o := state.Owner; o != nil {
		fmt.Fprintf(out, "owner %s as producer %d epoch %d, released %t\n", o.Instance, o.ProducerID, o.Epoch, o.Released)
	}
	topic, err := k.Topic(s.t.Context(), "events")
	s.must(err)
	for _, p := range topic.TopicPartitions() {
		log, err := k.Log(s.t.Context(), p)
		s.must(err)
		s.must(k.Read(s.t.Context(), p, log.Start, log.End, recordbatch.Visitor{
			Record: func(r *recordbatch.Record) error {
				_, err := fmt.Fprintf(out, "events %d: %s by producer %d epoch %d\n", p.Partition, r.Value, r.ProducerID, r.ProducerEpoch)
				return err
			},
			Marker: func(m recordbatch.Marker) error {
				_, err := fmt.Fprintf(out, "events %d: marker of producer %d epoch %d\n", p.Partition, m.ProducerID, m.ProducerEpoch)
				return err
			},
		}))
	}
}

// noAnswer matches both errors of a request that timed out: which one occurs is random.
var noAnswer = regexp.MustCompile(`(kafka did not answer within \S+: )?context deadline exceeded`)

// Write adds a line of the log, unless it is equal to the last one: how often attempts are
// repeated is random.
func (i *instance) Write(line []byte) (int, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if text := i.name + ": " + noAnswer.ReplaceAllString(string(line), "no answer"); !i.killed && text != i.last {
		i.logged.WriteString(text)
		i.last = text
	}
	return len(line), nil
}

func (i *instance) print(format string, args ...any) { fmt.Fprintf(i, format+"\n", args...) }

// step prints the steps of takeovers and renewals, but not those of checkpoints, which are many.
func (i *instance) step(name string) {
	switch name {
	case "fenced", "owner", "restored", "renewing", "renewed":
		i.print("step %s", name)
	}
}

// writeLog writes the lines that the instance has logged since the last call.
func (i *instance) writeLog(out io.Writer) {
	i.mu.Lock()
	defer i.mu.Unlock()
	_, _ = i.logged.WriteTo(out)
}

// kill ends the instance at once: its connections are closed, and its log is discarded.
func (i *instance) kill() {
	i.mu.Lock()
	i.killed = true
	i.mu.Unlock()
	i.link.cut()
	i.stop()
}
