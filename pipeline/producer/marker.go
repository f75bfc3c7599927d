package producer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/recordbatch"
)

// writable returns the partitions to which a marker can be written now, with the end of each
// log before it. Others are excluded: one partition without a leader, or below its
// min.insync.replicas, would block the whole takeover.
func (f *Fence) writable(ctx context.Context, partitions []recordbatch.TopicPartition, out unfenced) ([]cluster.LogRange, error) {
	var names []string
	for _, p := range partitions {
		if !slices.Contains(names, p.Topic) {
			names = append(names, p.Topic)
		}
	}
	var logs []cluster.LogRange
	began := time.Now()
	err := f.retry(ctx, "look at the partitions to fence", func() error {
		topics, err := f.Cluster.Topics(ctx, names...)
		if err != nil {
			return err
		}
		configs, err := f.Cluster.TopicConfigs(ctx, names...)
		if err != nil {
			return err
		}
		clear(out)
		var led []recordbatch.TopicPartition
		for _, p := range partitions {
			i := slices.Index(names, p.Topic)
			if why := unwritableReason(topics[i], configs[i], p.Partition); why != nil {
				out[p] = why
				continue
			}
			led = append(led, p)
		}
		if logs, err = f.Cluster.Offsets(ctx, led...); err != nil {
			return err
		}
		for _, l := range logs {
			// A new topic is not known to all brokers at once, and a new leader does not know
			// at once that it is the leader.
			if cluster.Retriable(l.Err) && time.Since(began) < partitionPatience {
				return l.Err
			}
		}
		return nil
	})
	return slices.DeleteFunc(logs, func(l cluster.LogRange) bool {
		if l.Err != nil {
			out[l.Partition] = l.Err
		}
		return l.Err != nil
	}), err
}

// unfenced maps the partitions that can't be fenced now to the reason.
type unfenced map[recordbatch.TopicPartition]error

// logTo logs them: one line for the partitions of a topic with the same reason.
func (out unfenced) logTo(log *slog.Logger) {
	type reason struct{ topic, why string }
	same := map[reason][]int{}
	for p, why := range out {
		r := reason{p.Topic, why.Error()}
		same[r] = append(same[r], p.Partition)
	}
	for _, r := range slices.SortedFunc(maps.Keys(same), func(a, b reason) int { return cmp.Or(cmp.Compare(a.topic, b.topic), cmp.Compare(a.why, b.why)) }) {
		slices.Sort(same[r])
		log.Warn("partitions can't be fenced now, so they can't be written", "topic", r.topic, "partitions", fmt.Sprint(same[r]), "error", r.why,
			"do", "restore their leader and min.insync.replicas, or the topic and the rights: dfinery-kafka check shows which")
	}
}

// partitionPatience is how long a partition may be unknown to a broker, or its log unreadable,
// before it is excluded.
const partitionPatience = 5 * time.Second

func unwritableReason(topic cluster.Topic, config cluster.TopicConfig, partition int) error {
	switch {
	case topic.Err != nil:
		return topic.Err
	case partition >= len(topic.Partitions):
		return errors.New("the topic has no such partition")
	case topic.Partitions[partition].Leader < 0:
		return errors.New("it has no leader")
	case config.TimestampFault() != nil:
		return config.TimestampFault()
	case len(topic.Partitions[partition].ISR) < config.MinInsyncReplicas:
		return fmt.Errorf("%d of its replicas are in sync, min.insync.replicas is %d", len(topic.Partitions[partition].ISR), config.MinInsyncReplicas)
	}
	return nil
}

// mark commits an empty transaction over the partitions and returns those that took part. A
// missing or forbidden topic makes the coordinator refuse all others, so it is excluded and the
// rest retried.
func (f *Fence) mark(ctx context.Context, id Identity, logs []cluster.LogRange, out unfenced) ([]cluster.LogRange, error) {
	for len(logs) > 0 {
		refused, err := f.addPartitions(ctx, id, logs)
		if err != nil {
			return nil, err
		}
		if len(refused) == 0 {
			break
		}
		logs = slices.DeleteFunc(logs, func(l cluster.LogRange) bool {
			why, isOut := refused[l.Partition]
			if isOut {
				out[l.Partition] = why
			}
			return isOut
		})
	}
	if len(logs) == 0 {
		return nil, nil
	}
	return logs, f.retry(ctx, "commit the fence", func() error {
		answer, err := f.Cluster.Client().EndTxn(ctx, &kafka.EndTxnRequest{
			TransactionalID: f.TransactionalID, ProducerID: int(id.ID), ProducerEpoch: int(id.Epoch), Committed: true,
		})
		if err != nil {
			return err
		}
		// A repeated commit whose first answer was lost finds no transaction any more.
		if errors.Is(answer.Error, kafka.InvalidTransactionState) {
			return nil
		}
		return answer.Error
	})
}

// addPartitions returns the partitions that block the others, with the coordinator's reason.
func (f *Fence) addPartitions(ctx context.Context, id Identity, logs []cluster.LogRange) (map[recordbatch.TopicPartition]error, error) {
	topics := map[string][]kafka.AddPartitionToTxn{}
	for _, l := range logs {
		topics[l.Partition.Topic] = append(topics[l.Partition.Topic], kafka.AddPartitionToTxn{Partition: l.Partition.Partition})
	}
	refused := map[recordbatch.TopicPartition]error{}
	began := time.Now()
	err := f.retry(ctx, "add partitions to the fence", func() error {
		clear(refused)
		answer, err := f.Cluster.Client().AddPartitionsToTxn(ctx, &kafka.AddPartitionsToTxnRequest{
			TransactionalID: f.TransactionalID, ProducerID: int(id.ID), ProducerEpoch: int(id.Epoch), Topics: topics,
		})
		if err != nil {
			return err
		}
		for topic, answers := range answer.Topics {
			for _, a := range answers {
				switch {
				case a.Error == nil, errors.Is(a.Error, notAttempted):
				case cluster.Missing(a.Error) && time.Since(began) < partitionPatience:
					return a.Error
				case cluster.Missing(a.Error), errors.Is(a.Error, kafka.TopicAuthorizationFailed):
					refused[recordbatch.TopicPartition{Topic: topic, Partition: a.Partition}] = a.Error
				default:
					return a.Error
				}
			}
		}
		return nil
	})
	return refused, err
}

// notAttempted is OPERATION_NOT_ATTEMPTED: another partition of the request was refused.
// kafka-go gives 55 another name.
const notAttempted = kafka.BrokerAuthorizationFailed

// withMarker returns those of the logs that have the marker of id after their previous end,
// with the end after the marker.
func (f *Fence) withMarker(ctx context.Context, id Identity, logs []cluster.LogRange, out unfenced) []cluster.LogRange {
	missing, partitions := make([]error, len(logs)), make([]recordbatch.TopicPartition, len(logs))
	for i, l := range logs {
		partitions[i] = l.Partition
	}
	// One request for all ends, which are mostly behind the markers already.
	ends, err := f.Cluster.Offsets(ctx, partitions...)
	if err != nil {
		ends = slices.Repeat([]cluster.LogRange{{Err: err}}, len(logs))
	}
	var searches sync.WaitGroup
	limit := make(chan struct{}, 4)
	for i, l := range logs {
		searches.Go(func() {
			limit <- struct{}{}
			defer func() { <-limit }()
			began, again := time.Now(), false
			var why error
			err := f.retry(ctx, "find the fence's marker", func() error {
				log, err := ends[i], ends[i].Err
				if again {
					log, err = f.Cluster.Log(ctx, l.Partition)
				}
				again = true
				if why = err; err == nil {
					why = f.search(ctx, id, l, log.End)
				}
				if cluster.Retriable(why) && time.Since(began) < partitionPatience {
					return why
				}
				return nil
			})
			if err == nil {
				err = why
			}
			missing[i] = err
		})
	}
	searches.Wait()
	var fenced []cluster.LogRange
	for i, l := range logs {
		if missing[i] != nil {
			out[l.Partition] = missing[i]
			continue
		}
		l.End++ // the marker
		fenced = append(fenced, l)
	}
	return fenced
}

// errFound ends a search.
var errFound = errors.New("the marker was found")

// search returns nil if the log has the marker of id at or after the end l, and before end.
func (f *Fence) search(ctx context.Context, id Identity, l cluster.LogRange, end int64) error {
	err := f.Cluster.Read(ctx, l.Partition, l.End, end, recordbatch.Visitor{Marker: func(m recordbatch.Marker) error {
		if m.ProducerID == id.ID && m.ProducerEpoch >= id.Epoch {
			return errFound
		}
		return nil
	}})
	switch {
	case errors.Is(err, errFound):
		return nil
	case err != nil:
		return err
	}
	return errors.New("its log does not have the marker")
}
