package app_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"dfinery-kafka/connector/exporttest"
)

// withNewStream returns a service that has run before, and now has another stream, whose topic
// does not exist.
func withNewStream(t *testing.T) *simulation {
	t.Helper()
	w := newSimulation(t, &exporttest.Server{Data: exporttest.Data{Seed: 4, RowsPerDay: 20}, Limits: exporttest.Limits{PerHour: -1}})
	w.config.Streams[0].Start.Back = 2
	w.config.Publish.OwnerHeartbeat = 30 * time.Second
	w.run(time.Minute)
	second := w.config.Streams[0]
	second.Name, second.Topic = "second", "second"
	w.config.Streams = append(w.config.Streams, second)
	return w
}

// TestTopics_KafkaComesLate starts a service with a new stream before Kafka is reachable, as
// with the sidecar of a service mesh: the topic is created later.
func TestTopics_KafkaComesLate(t *testing.T) {
	for try := range 8 {
		t.Run(fmt.Sprint(try), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := withNewStream(t)
				g := &gate{dial: w.net.Dial}
				g.shut(0, false)
				a := w.through(g, false)
				a.Service.CommandPoll = time.Hour
				stop := w.start(a)
				time.Sleep(time.Duration(3000+617*try) * time.Millisecond)
				g.open()
				time.Sleep(30 * time.Second)
				stop()
				if n := len(w.records("second")); n != 60 {
					t.Errorf("%d rows of the new stream are published, want 60\n%s", n, w.logged())
				}
			})
		})
	}
}

// TestTopics_RefusedAtFirst: the creation of a topic is retried. Transient errors delay the
// start by seconds at most; a permanent refusal blocks only its stream, is logged once, and is
// retried at each heartbeat.
func TestTopics_RefusedAtFirst(t *testing.T) {
	for name, test := range map[string]struct {
		answer  *kerr.Error
		lasts   time.Duration
		within  time.Duration // time within which the new stream is published
		blocked bool
	}{
		"a controller that moves":          {kerr.NotController, 4 * time.Second, 2 * time.Second, false},
		"a controller that moves for long": {kerr.NotController, 5 * time.Minute, time.Minute, true},
		"a quota":                          {kerr.ThrottlingQuotaExceeded, 4 * time.Second, 2 * time.Second, false},
		"no time left":                     {kerr.RequestTimedOut, 4 * time.Second, 2 * time.Second, false},
		"no right":                         {kerr.TopicAuthorizationFailed, 5 * time.Minute, time.Minute, true},
		"a policy":                         {kerr.PolicyViolation, 5 * time.Minute, time.Minute, true},
		"too few brokers":                  {kerr.InvalidReplicationFactor, 5 * time.Minute, time.Minute, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := withNewStream(t)
				var refuses atomic.Bool
				refuses.Store(true)
				w.kafka.ControlKey(int16(kmsg.CreateTopics), func(req kmsg.Request) (kmsg.Response, error, bool) {
					w.kafka.KeepControl()
					if !refuses.Load() {
						return nil, nil, false
					}
					res := req.ResponseKind().(*kmsg.CreateTopicsResponse)
					for _, asked := range req.(*kmsg.CreateTopicsRequest).Topics {
						topic := kmsg.NewCreateTopicsResponseTopic()
						topic.Topic, topic.ErrorCode = asked.Topic, test.answer.Code
						res.Topics = append(res.Topics, topic)
					}
					return res, nil, true
				})
				a := w.through(&gate{dial: w.net.Dial, after: -1}, false)
				a.Service.CommandPoll = time.Hour
				stop := w.start(a)
				time.Sleep(test.lasts)
				const line = "a stream waits for its topic"
				if n := strings.Count(w.logged(), line); (n == 1) != test.blocked || n > 1 {
					t.Errorf("the log has %d times that a stream waits for its topic, want once: %v\n%s", n, test.blocked, w.logged())
				}
				if test.blocked {
					for _, s := range a.Service.Status().Streams {
						if s.Name == "second" && (s.Halted == nil || !strings.Contains(*s.Halted, "create topic second")) {
							t.Errorf("the status does not say that the topic can't be created: %+v", s)
						}
					}
				}
				refuses.Store(false)
				time.Sleep(test.within)
				stop()
				if n := len(w.records("second")); n != 60 {
					t.Errorf("%d rows of the new stream are published, want 60\n%s", n, w.logged())
				}
				w.compare(w.since(2))
			})
		})
	}
}
