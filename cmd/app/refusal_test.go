package app_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"dfinery-kafka/connector/exporttest"
)

// TestRefusedRecords: a topic that permanently refuses records blocks only its stream. Few
// calls are made, and the topic is tried again until it accepts records.
func TestRefusedRecords(t *testing.T) {
	for _, topic := range []string{"second", "dead"} {
		for _, answer := range []*kerr.Error{kerr.InvalidTimestamp, kerr.InvalidRecord} {
			t.Run(topic+" "+answer.Message, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newSimulation(t, &exporttest.Server{Data: exporttest.Data{Seed: 4, RowsPerDay: 20}, Limits: exporttest.Limits{PerHour: -1}})
					w.config.Streams[0].Start.Back = 2
					w.config.Publish.OwnerHeartbeat = time.Minute
					w.layout = time.Hour // metadata never changes
					second := w.config.Streams[0]
					second.Name, second.Topic = "second", "second"
					w.config.Streams = append(w.config.Streams, second)
					var refuses atomic.Bool
					refuses.Store(true)
					if topic == "dead" { // so that there are letters
						w.api.Faults = func(exporttest.Call) *exporttest.Fault {
							if !refuses.Load() {
								return nil
							}
							return &exporttest.Fault{Page: "<html>"}
						}
					}
					w.kafka.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
						w.kafka.KeepControl()
						asked := req.(*kmsg.ProduceRequest).Topics[0]
						if !refuses.Load() || asked.Topic != topic {
							return nil, nil, false
						}
						partition := kmsg.NewProduceResponseTopicPartition()
						partition.Partition, partition.ErrorCode = asked.Partitions[0].Partition, answer.Code
						refused := kmsg.NewProduceResponseTopic()
						refused.Topic, refused.TopicID, refused.Partitions = asked.Topic, asked.TopicID, append(refused.Partitions, partition)
						res := req.ResponseKind().(*kmsg.ProduceResponse)
						res.Topics = append(res.Topics, refused)
						return res, nil, true
					})
					a := w.through(&gate{dial: w.net.Dial, after: -1}, false)
					a.Service.CommandPoll = time.Hour
					stop := w.start(a)
					time.Sleep(30 * time.Minute)
					if n := len(w.api.Calls()); n > 40 {
						t.Errorf("%d calls in half an hour\n%s", n, w.logged())
					}
					if n := strings.Count(w.logged(), "msg=owner"); n > 12 { // two for each attempt
						t.Errorf("%d takeovers in half an hour\n%s", n, w.logged())
					}
					if topic == "second" {
						if n := len(w.records("events")); n != 60 {
							t.Errorf("%d rows of the other stream are published, want 60", n)
						}
						for _, s := range a.Service.Status().Streams {
							if s.Name == "second" && (s.Halted == nil || !strings.Contains(*s.Halted, "topic second partition")) {
								t.Errorf("the status does not have the reason why the stream waits: %+v", s)
							}
						}
					}
					refuses.Store(false)
					time.Sleep(2 * time.Hour)
					stop()
					if n := len(w.records("second")); n != 60 {
						t.Errorf("%d rows are published at the end, want 60\n%s", n, w.logged())
					}
					w.compare(w.since(2))
				})
			})
		}
	}
}
