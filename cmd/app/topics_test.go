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

// withNewStream is a service that has run before, and is configured with a further stream now,
// whose topic is missing.
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

// TestTopics_KafkaComesLate starts a service with a new stream before Kafka can be reached, as
// beside a mesh's proxy that is not ready yet.
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
					t.Errorf("%d rows of the new stream are published, want 60\n%s", n, w.said())
				}
			})
		})
	}
}

// TestTopics_RefusedAtFirst: a topic that can't be created is tried again. What may pass holds
// nothing up for longer than seconds; what is refused permanently blocks only its stream, is
// logged once, and is tried again with each heartbeat.
func TestTopics_RefusedAtFirst(t *testing.T) {
	for name, test := range map[string]struct {
		answer  *kerr.Error
		lasts   time.Duration
		within  time.Duration // of that, the new stream is published
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
				if n := strings.Count(w.said(), line); (n == 1) != test.blocked || n > 1 {
					t.Errorf("said %d times that a stream waits for its topic, want it once: %v\n%s", n, test.blocked, w.said())
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
					t.Errorf("%d rows of the new stream are published, want 60\n%s", n, w.said())
				}
				w.compare(w.since(2))
			})
		})
	}
}
