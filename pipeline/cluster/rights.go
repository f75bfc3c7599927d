package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/createtopics"
	fetching "github.com/segmentio/kafka-go/protocol/fetch"
	"github.com/segmentio/kafka-go/protocol/produce"
	"github.com/segmentio/kafka-go/protocol/rawproduce"
)

// Resource is a kind of thing that rights are granted for, by the name of its option to kafka-acls.sh.
type Resource string

// The kinds of resources.
const (
	TopicResource         Resource = "topic"
	TransactionalResource Resource = "transactional-id"
)

// Operation is what a right lets do, by its name for kafka-acls.sh.
type Operation string

// The operations. Read and Write bring Describe with them.
const (
	Read            Operation = "Read"
	Write           Operation = "Write"
	Create          Operation = "Create"
	DescribeConfigs Operation = "DescribeConfigs"
)

// Right is one permission of a cluster's authorizer.
type Right struct {
	Resource  Resource
	Name      string
	Operation Operation
	Purpose   string // what cannot be done without it
	Optional  bool   // much is done without it
}

func (r Right) String() string { return fmt.Sprintf("%s on %s %s", r.Operation, r.Resource, r.Name) }

// Grant is the command by which an administrator grants rights to a principal such as User:dfinery, one line for each resource
// and name.
func (c *Cluster) Grant(principal string, rights ...Right) []string {
	var commands []string
	for _, group := range grouped(rights) {
		var b strings.Builder
		fmt.Fprintf(&b, "kafka-acls.sh --bootstrap-server %s --add --allow-principal %s", c.Bootstrap(), quoted(principal))
		for _, r := range group {
			fmt.Fprintf(&b, " --operation %s", r.Operation)
		}
		fmt.Fprintf(&b, " --%s %s", group[0].Resource, quoted(group[0].Name))
		commands = append(commands, b.String())
	}
	return commands
}

func grouped(rights []Right) [][]Right {
	var groups [][]Right
	for _, r := range rights {
		i := slices.IndexFunc(groups, func(g []Right) bool { return g[0].Resource == r.Resource && g[0].Name == r.Name })
		if i < 0 {
			groups = append(groups, []Right{r})
			continue
		}
		groups[i] = append(groups[i], r)
	}
	return groups
}

// quoted keeps a shell from taking a word apart: the principal of a certificate has blanks and commas.
func quoted(word string) string {
	if !strings.ContainsAny(word, " \t'\"$`\\&|;<>()*?#~!{}[]") {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// Allowed asks for each right whether the cluster grants it: nil, an error for which Forbidden is true, or why it could not be
// found out. Nothing is written or created, and no transactional id is taken over: rights on what does not exist yet are known by
// whether a request for it is refused for that or for its authorization.
func (c *Cluster) Allowed(ctx context.Context, rights ...Right) ([]error, error) {
	var names []string
	for _, r := range rights {
		if r.Resource == TopicResource && !slices.Contains(names, r.Name) {
			names = append(names, r.Name)
		}
	}
	topics, err := c.Topics(ctx, names...)
	if err != nil {
		return nil, err
	}
	answers := make([]error, len(rights))
	for i, r := range rights {
		if r.Resource == TransactionalResource {
			answers[i] = c.mayCommit(ctx, r.Name)
			continue
		}
		answers[i] = c.allowedOn(ctx, topics[slices.Index(names, r.Name)], r.Operation)
	}
	return answers, nil
}

func (c *Cluster) allowedOn(ctx context.Context, topic Topic, op Operation) error {
	if topic.Rights.Known {
		granted := map[Operation]bool{Read: topic.Rights.Read, Write: topic.Rights.Write, DescribeConfigs: topic.Rights.DescribeConfig, Create: true}
		if granted[op] {
			return nil
		}
		return NewBrokerError(int16(kafka.TopicAuthorizationFailed), "")
	}
	if topic.Err == nil && op != DescribeConfigs {
		return nil // the cluster does not say: it has no authorizer
	}
	var err error
	switch op {
	case Read:
		err = c.tryFetch(ctx, topic.Name)
	case Write:
		err = c.tryProduce(ctx, topic.Name)
	case Create:
		err = c.tryCreate(ctx, topic.Name)
	case DescribeConfigs:
		var configs []TopicConfig
		if configs, err = c.TopicConfigs(ctx, topic.Name); err == nil {
			err = configs[0].Err
		}
	}
	if Missing(err) {
		return nil
	}
	return err
}

// tryFetch and tryProduce are for topics that can't be seen: a broker answers that the right is missing before it answers that the
// topic is.
func (c *Cluster) tryFetch(ctx context.Context, topic string) error {
	res, err := c.send(ctx, anyBroker, &fetching.Request{ReplicaID: -1, MaxBytes: 1, SessionEpoch: -1, Topics: []fetching.RequestTopic{
		{Topic: topic, Partitions: []fetching.RequestPartition{{CurrentLeaderEpoch: -1, PartitionMaxBytes: 1}}}}})
	if err != nil {
		return err
	}
	for _, t := range res.(*fetching.Response).Topics {
		for _, p := range t.Partitions {
			return authorization(p.ErrorCode)
		}
	}
	return nil
}

// tryProduce sends no record, so that none could be written were the topic created at this moment.
func (c *Cluster) tryProduce(ctx context.Context, topic string) error {
	res, err := c.send(ctx, anyBroker, &rawproduce.Request{Acks: -1, Timeout: 10_000, Topics: []rawproduce.RequestTopic{
		{Topic: topic, Partitions: []rawproduce.RequestPartition{{RecordSet: protocol.RawRecordSet{Reader: strings.NewReader("")}}}}}})
	if err != nil {
		return err
	}
	for _, t := range res.(*produce.Response).Topics {
		for _, p := range t.Partitions {
			return authorization(p.ErrorCode)
		}
	}
	return nil
}

// tryCreate asks for a validation only.
func (c *Cluster) tryCreate(ctx context.Context, topic string) error {
	res, err := c.send(ctx, anyBroker, &createtopics.Request{ValidateOnly: true, TimeoutMs: 10_000, Topics: []createtopics.RequestTopic{
		{Name: topic, NumPartitions: 1, ReplicationFactor: 1}}})
	if err != nil {
		return err
	}
	for _, t := range res.(*createtopics.Response).Topics {
		return authorization(t.ErrorCode)
	}
	return nil
}

// authorization keeps only the refusal that was asked about.
func authorization(code int16) error {
	if err := NewBrokerError(code, ""); Forbidden(err) {
		return err
	}
	return nil
}

// mayCommit commits a transaction of a producer that never was: the coordinator looks at the right first, and then does nothing.
func (c *Cluster) mayCommit(ctx context.Context, id string) error {
	answer, err := c.Client().EndTxn(ctx, &kafka.EndTxnRequest{TransactionalID: id, ProducerID: -1, ProducerEpoch: -1, Committed: true})
	if err == nil {
		err = answer.Error
	}
	if errors.Is(err, kafka.InvalidProducerIDMapping) || errors.Is(err, kafka.InvalidTransactionState) || Fenced(err) {
		return nil
	}
	return err
}
