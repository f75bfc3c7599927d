package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/ledger/store"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
)

// topicMonitor checks that the topics are unchanged since the ownership began, and
// makes streams wait whose topics can't be written.
type topicMonitor struct {
	cluster     *cluster.Cluster
	ledger      *store.Ledger
	deadLetters string
	streams     []transfer.Stream
	session     *producer.Session
	schedule    *schedule.State
	partitions  *partitions
	creator     *topicCreator
	history     *topicHistory
	log         *slog.Logger

	limit     map[string]int // max.message.bytes by topic, as set in the session
	forbidden []string       // why topics that every stream needs may not be written, as of the last check
}

// setLimits sets the maximum batch size of each topic, as far as the configurations may
// be read.
func (m *topicMonitor) setLimits(ctx context.Context) error {
	names := []string{m.ledger.Topic, m.ledger.Rows, m.deadLetters}
	for i := range m.streams {
		names = append(names, m.streams[i].Topic)
	}
	configs, err := m.cluster.TopicConfigs(ctx, names...)
	if err != nil {
		return err
	}
	m.limit = map[string]int{}
	for _, c := range configs {
		limit := producer.DefaultLimit
		if most := c.MaxBatch(); c.Err == nil && most > 0 {
			limit = most
			m.limit[c.Name] = limit
		}
		if refused, ok := m.history.tooLarge[c.Name]; ok {
			limit = min(limit, refused-1)
		}
		m.session.SetLimit(c.Name, limit)
	}
	for i := range m.streams {
		m.checkCompaction(&m.streams[i], &configs[len(configs)-len(m.streams)+i])
	}
	return nil
}

// blockIfUnwritable makes a stream wait if its topic can't be written now.
func (m *topicMonitor) blockIfUnwritable(st *transfer.Stream, topic cluster.Topic) {
	if why := unwritable(topic); why != nil {
		m.block(st, why)
		return
	}
	for _, p := range topic.TopicPartitions() {
		if why := m.session.Unfenced(p); why != nil {
			m.block(st, fmt.Errorf("%v can't be fenced now: %w", p, why))
			return
		}
	}
	if why := m.history.refusedUntilLater(st.Topic, time.Now()); why != nil {
		m.block(st, why)
		return
	}
	m.history.noteTry(st.Topic)
	if m.schedule.Stream(st.Name).Blocked() == "" {
		m.history.reopened(st.Name)
	}
}

// block makes a stream wait for its topic.
func (m *topicMonitor) block(st *transfer.Stream, why error) {
	m.schedule.Stream(st.Name).Block(why.Error())
	do := remedy(why, fixTopic)
	_, refused := errors.AsType[*producer.RefusedError](why)
	if _, strict := errors.AsType[*cluster.TimestampError](why); refused || strict {
		do = afterRefusal(m.cluster, st.Topic, why)
	}
	if compaction, ok := errors.AsType[*cluster.ConfigError](why); ok {
		do = compaction.Repair
	}
	m.log.Error("a stream waits for its topic", "stream", st.Name, "topic", st.Topic, "error", why, "do", do)
}

// pollTimeout limits how long the loop waits for checks, so that it is not blocked if
// Kafka does not answer.
const pollTimeout = 10 * time.Second

// errChanged ends an ownership whose topics have changed since it began. The next one
// starts with the changed topics.
var errChanged = errors.New("the topics have changed")

// check examines the topics. For partitions that are new, or can be written again, it
// ends the ownership, so that the next one fences and recovers them before they are
// written. A stream whose topic no longer exists waits.
func (m *topicMonitor) check(ctx context.Context, c *checkpointer, transfers *transfer.Runner) error {
	owning := ctx
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	var names []string
	for i := range m.streams {
		names = append(names, m.streams[i].Topic)
	}
	names = append(names, m.ledger.Topic, m.ledger.Rows, m.deadLetters)
	topics, err := m.cluster.Topics(ctx, names...)
	streams := len(m.streams)
	var configs []cluster.TopicConfig
	if err == nil {
		m.checkShared(topics[streams:])
		configs, err = m.cluster.TopicConfigs(ctx, names[:streams]...)
	}
	switch {
	case owning.Err() != nil:
		return nil // caused by the shutdown
	case err != nil:
		m.log.Warn("can't read the topics' metadata", "error", err, "do", unlessItPersists)
		return nil
	}
	if faults, err := m.ledger.CheckPolicies(ctx); err == nil { // an error is temporary: the streams' topics could just be read
		m.creator.keepMarkers(ctx)
		m.reportPolicyFaults(faults)
	}
	if err := m.checkLogs(ctx, c); err != nil {
		return err
	}
	for i := range m.streams {
		st := &m.streams[i]
		if err := m.checkStream(ctx, st, topics[i], configs[i], transfers.Partitions(st.Name)); err != nil {
			return err
		}
	}
	return nil
}

// checkShared logs which topics that every stream needs may not be written any more.
func (m *topicMonitor) checkShared(topics []cluster.Topic) {
	m.forbidden = nil
	for _, topic := range topics {
		if why := unwritable(topic); cluster.Forbidden(why) {
			m.forbidden = append(m.forbidden, "Kafka: "+why.Error())
			m.log.Error("the service stops publishing: it has no right to write a required topic", "topic", topic.Name, "error", why, "do", fixRight)
		}
	}
}

// checkStream examines the topic of a stream that is written to the given number of partitions.
func (m *topicMonitor) checkStream(ctx context.Context, st *transfer.Stream, topic cluster.Topic, config cluster.TopicConfig, partitions int) error {
	blocked := m.schedule.Stream(st.Name).Blocked()
	if topic.Err != nil && m.creator.absent[st.Topic] != nil {
		why := m.creator.createAbsent(ctx, st.Topic)
		switch {
		case why == nil:
			return fmt.Errorf("%w: topic %s was created", errChanged, st.Topic)
		case ctx.Err() == nil && why.Error() != blocked:
			m.block(st, why)
		}
		return nil
	}
	why := cmp.Or(unwritable(topic), config.TimestampFault(), CompactionFault(m.cluster, st, &config))
	if blocked != "" {
		return m.checkBlocked(st, why == nil && writable(topic, config))
	}
	switch most := config.MaxBatch(); {
	case config.Err == nil && most != m.limit[st.Topic]:
		return fmt.Errorf("%w: topic %s takes batches of %d bytes, it took %d", errChanged, st.Topic, most, m.limit[st.Topic])
	case why != nil:
		m.block(st, why)
	case len(topic.Partitions) != partitions:
		return fmt.Errorf("%w: topic %s has %d partitions, it had %d", errChanged, st.Topic, len(topic.Partitions), partitions)
	}
	return nil
}

// checkBlocked ends the ownership once a stream that waits for its topic may be tried
// again: its topic can be written now, and it is time.
func (m *topicMonitor) checkBlocked(st *transfer.Stream, writable bool) error {
	now := time.Now()
	switch {
	case !writable:
		m.history.reopened(st.Name)
	case m.history.refusalIsOver(st.Topic, now):
		return fmt.Errorf("%w: topic %s refused records and is tried again", errChanged, st.Topic)
	case m.history.refusedUntilLater(st.Topic, now) == nil && m.history.mayReopen(st.Name, now):
		m.history.noteReopening(st.Name, now)
		return fmt.Errorf("%w: topic %s may be written again", errChanged, st.Topic)
	}
	return nil
}

// checkLogs checks whether a log is shorter than its acknowledged position: its topic
// was recreated, or an unclean leader election lost records. The next owner fences and
// recovers it before it is written.
func (m *topicMonitor) checkLogs(ctx context.Context, c *checkpointer) error {
	var partitions []recordbatch.TopicPartition
	acknowledged := map[recordbatch.TopicPartition]int64{} // read before the logs, which grow in the meantime
	for _, p := range m.partitions.all {
		if next := c.knownPosition(p).Next; m.session.Fenced(p) && next > 0 {
			acknowledged[p] = next
			partitions = append(partitions, p)
		}
	}
	logs, err := m.cluster.Offsets(ctx, partitions...)
	if err != nil {
		return nil // temporary: the topics could just be read
	}
	for _, log := range logs {
		if next := acknowledged[log.Partition]; log.Err == nil && log.End < next {
			return fmt.Errorf("%w: the log of %v ends at %d, it was written up to %d", errChanged, log.Partition, log.End, next)
		}
	}
	return nil
}

// reportPolicyFaults logs which ledger topics have a configuration that would delete
// required records: the next start would refuse them.
func (m *topicMonitor) reportPolicyFaults(faults []error) {
	for _, fault := range faults {
		if policy, ok := errors.AsType[*cluster.ConfigError](fault); ok {
			m.log.Error("the ledger will lose records of what was published", "topic", policy.Topic, policy.Config, policy.Have, "needed", policy.Want, "do", policy.Repair)
		}
	}
}

// writable reports whether all partitions have a leader and enough replicas in sync.
func writable(t cluster.Topic, c cluster.TopicConfig) bool {
	return !slices.ContainsFunc(t.Partitions, func(p cluster.Partition) bool { return p.Leader < 0 || len(p.ISR) < c.MinInsyncReplicas })
}
