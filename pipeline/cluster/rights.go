package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/segmentio/kafka-go"
)

// Resource is a kind of resource, named like its option of kafka-acls.sh.
type Resource string

// The kinds of resources.
const (
	TopicResource         Resource = "topic"
	TransactionalResource Resource = "transactional-id"
)

// Operation is the operation that a right permits, as named by kafka-acls.sh.
type Operation string

// The operations. Read and Write imply Describe.
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
	Purpose   string // what the right is needed for
	Optional  bool   // the connector works without it, with restrictions
}

func (r Right) String() string { return fmt.Sprintf("%s on %s %s", r.Operation, r.Resource, r.Name) }

// Grant returns the commands with which an administrator grants rights to a principal such as
// User:dfinery, one line for each resource and name.
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

// quoted quotes a word for shells: the principal of a certificate contains blanks and commas.
func quoted(word string) string {
	if !strings.ContainsAny(word, " \t'\"$`\\&|;<>()*?#~!{}[]") {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// Allowed returns for each right whether the cluster grants it: nil, an error for which
// Forbidden is true, or why it could not be determined. Nothing is written or created, and no
// transactional id is taken over.
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

// allowedOn relies on the broker's description of a topic, which shows the rights on it,
// whether or not the topic exists; the broker refuses it only when neither Read nor Write is
// granted, each of which implies Describe.
func (c *Cluster) allowedOn(ctx context.Context, topic Topic, op Operation) error {
	switch {
	case op == Create && topic.Err == nil:
		return nil
	case op == Create: // a right on the cluster is enough, so only a validation shows it
		refused, err := c.ValidateTopics(ctx, TopicSpec{Name: topic.Name, Partitions: 1, ReplicationFactor: -1})
		if err == nil && Forbidden(refused[0]) {
			err = refused[0]
		}
		return err
	case op == DescribeConfigs:
		configs, err := c.TopicConfigs(ctx, topic.Name)
		if err == nil && Forbidden(configs[0].Err) {
			err = configs[0].Err
		}
		return err
	case Forbidden(topic.Err):
		return topic.Err
	}
	r := topic.Rights
	if r.Known && (op == Read && !r.Read || op == Write && !r.Write) {
		return NewBrokerError(int16(kafka.TopicAuthorizationFailed), "")
	}
	return nil // granted, or the cluster has no authorizer that reports rights
}

// mayCommit commits a transaction of a producer that does not exist: the coordinator checks the
// right, and then does nothing. A cluster without transactions so far must create its
// coordinators first.
func (c *Cluster) mayCommit(ctx context.Context, id string) error {
	for waits := newRetry(patience); ; {
		answer, err := c.Client().EndTxn(ctx, &kafka.EndTxnRequest{TransactionalID: id, ProducerID: -1, ProducerEpoch: -1, Committed: true})
		if err == nil {
			err = answer.Error
		}
		switch {
		case errors.Is(err, kafka.InvalidProducerIDMapping) || errors.Is(err, kafka.InvalidTransactionState) || Fenced(err):
			return nil
		case !hasCode(err, kafka.NotCoordinatorForGroup, kafka.GroupLoadInProgress, kafka.GroupCoordinatorNotAvailable):
			return err
		}
		if err := waits.next(ctx, err); err != nil {
			return err
		}
	}
}
