package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"syscall"
	"testing"

	"dfinery-kafka/pipeline/cluster"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

func TestClassification(t *testing.T) {
	type classes struct{ Retriable, Fenced, Missing, Forbidden bool }
	broken := &net.OpError{Op: "read", Err: syscall.ECONNRESET}
	noFile := &fs.PathError{Op: "open", Path: "password", Err: syscall.ENOENT}
	for _, test := range []struct {
		name string
		err  error
		want classes
	}{
		{"none", nil, classes{}},
		{"unknown", errors.New("unknown"), classes{}},
		{"not leader", kafka.NotLeaderForPartition, classes{Retriable: true}},
		{"concurrent transactions", kafka.ConcurrentTransactions, classes{Retriable: true}},
		{"not coordinator", kafka.NotCoordinatorForGroup, classes{Retriable: true}},
		{"coordinator is loading", kafka.GroupLoadInProgress, classes{Retriable: true}},
		{"broker is gone", kafka.BrokerNotAvailable, classes{Retriable: true}},
		{"too few replicas", kafka.NotEnoughReplicas, classes{Retriable: true}},
		{"too large", kafka.MessageSizeTooLarge, classes{}},
		{"out of order", kafka.OutOfOrderSequenceNumber, classes{}},
		{"newer epoch", kafka.InvalidProducerEpoch, classes{Fenced: true}},
		{"producer fenced", cluster.NewBrokerError(90, ""), classes{Fenced: true}},
		{"another producer id", kafka.InvalidProducerIDMapping, classes{Fenced: true}},
		{"missing", fmt.Errorf("topic x: %w", cluster.NewBrokerError(3, "")), classes{Retriable: true, Missing: true}},
		{"topic forbidden", kafka.TopicAuthorizationFailed, classes{Forbidden: true}},
		{"transactional id forbidden", kafka.TransactionalIDAuthorizationFailed, classes{Forbidden: true}},
		{"not attempted", kafka.BrokerAuthorizationFailed, classes{}},
		{"layout without the topic", protocol.NewErrNoTopic("x"), classes{Retriable: true}},
		{"no leader", fmt.Errorf("x: %w", protocol.ErrNoLeader), classes{Retriable: true}},
		{"cut connection", io.ErrUnexpectedEOF, classes{Retriable: true}},
		{"reset connection", broken, classes{Retriable: true}},
		{"time limit of a request", context.DeadlineExceeded, classes{Retriable: true}},
		{"cancelled", context.Canceled, classes{}},
		{"unreachable", &cluster.ConnectError{Step: cluster.StepConnect, Err: &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}}, classes{Retriable: true}},
		{"cut while authenticating", &cluster.ConnectError{Step: cluster.StepSASL, Err: io.EOF}, classes{Retriable: true}},
		{"alert of TLS", &cluster.ConnectError{Step: cluster.StepTLS, Err: &net.OpError{Op: "remote error", Err: errors.New("tls: bad certificate")}}, classes{}},
		{"no password file", &cluster.ConnectError{Step: cluster.StepSASL, Err: noFile}, classes{}},
		{"a file", noFile, classes{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := classes{cluster.Retriable(test.err), cluster.Fenced(test.err), cluster.Missing(test.err), cluster.Forbidden(test.err)}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBrokerErrorText(t *testing.T) {
	for code, want := range map[int16]string{
		6:   "Not Leader For Partition (Kafka error 6): x",
		13:  "Network Exception (Kafka error 13): x",
		55:  "Operation Not Attempted (Kafka error 55): x",
		120: "Transaction Abortable (Kafka error 120): x",
		999: "Unnamed Error (Kafka error 999): x",
	} {
		if got := cluster.NewBrokerError(code, "x").Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if err := cluster.NewBrokerError(0, ""); err != nil {
		t.Errorf("code 0: %v", err)
	}
	if !errors.Is(cluster.NewBrokerError(6, ""), kafka.NotLeaderForPartition) {
		t.Error("a broker's error does not unwrap to kafka-go's")
	}
}
