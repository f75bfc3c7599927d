package producer_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/recordbatch"
)

// TestLeaderDiesBeforeItsMarker kills the leader of a partition just before the transaction of a
// takeover is committed, and starts it again right after. The coordinator drops that partition's
// marker but reports success: the older instance can still write there. The new one must detect
// that in the log, and not own the partition until a renewal has fenced it.
func TestLeaderDiesBeforeItsMarker(t *testing.T) {
	dir, brokers := os.Getenv("KAFKA_TEST_DIR"), strings.Split(os.Getenv("KAFKA_TEST_BROKERS"), ",")
	if dir == "" || len(brokers) < 3 {
		t.Skip("needs three brokers to kill: KAFKA_TEST_DIR is the directory of deploy/kafka-up.sh 3, KAFKA_TEST_BROKERS what it prints")
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	topic := fmt.Sprintf("producer.%08x", rand.Uint32())
	l := &log{t: t, admin: kadm.NewClient(client), topic: topic, cluster: dialled(t, brokers, topic, nil)}
	codec, err := recordbatch.NewCodec("none")
	if err != nil {
		t.Fatal(err)
	}
	l.fence = &producer.Fence{Cluster: l.cluster, TransactionalID: topic + ".id", Codec: codec, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	mortal := l.notCoordinator()
	l.assign(client, mortal, mortal%3+1)

	older := l.takeOver(producer.NoIdentity(), l.partitions(2)...)
	l.mustPut(older, l.at(0), "a")
	dead := &victim{t: t, dir: filepath.Join(dir, strconv.Itoa(int(mortal)))}
	t.Cleanup(dead.start)
	next := *l.fence
	var mu sync.Mutex // connections are used concurrently
	committed := false
	next.Cluster = dialled(t, brokers, topic, func(request kmsg.Key) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case request == kmsg.EndTxn && !committed:
			committed = true
			dead.kill()
			l.await("the partition has no leader", func(p cluster.Partition) bool { return p.Leader < 0 })
		case request == kmsg.InitProducerID && dead.dead: // the second one, which succeeds after the markers are written
			dead.start()
			l.await("the partition has a leader", func(p cluster.Partition) bool { return p.Leader >= 0 })
		}
	})
	newer, err := next.TakeOver(l.soon(), producer.NoIdentity(), l.partitions(2))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(newer.Close)
	if !committed {
		t.Fatal("the takeover committed nothing")
	}
	if newer.Fenced(l.at(0)) || !newer.Fenced(l.at(1)) {
		t.Errorf("owns the partition without a leader: %v, the other: %v", newer.Fenced(l.at(0)), newer.Fenced(l.at(1)))
	}
	// The older instance can write: only the log shows that the marker is missing.
	if err := l.put(older, l.at(0), "b"); err != nil {
		t.Errorf("the partition refuses the older instance already before the renewal: %v", err)
	}
	if err := newer.Renew(l.soon(), l.partitions(2)); err != nil {
		t.Fatal(err)
	}
	expectError(t, l.put(older, l.at(0), "never"), producer.ErrFenced)
	l.mustPut(newer, l.at(0), "c")
	l.want(0, "a", "b", "c")
}

// notCoordinator returns a broker that is not the fence's coordinator.
func (l *log) notCoordinator() int32 {
	l.t.Helper()
	ctx := l.soon()
	for {
		of := l.admin.FindTxnCoordinators(ctx, l.fence.TransactionalID)[l.fence.TransactionalID]
		if of.Err == nil && of.NodeID > 0 {
			return of.NodeID%3 + 1
		}
		select {
		case <-ctx.Done():
			l.t.Fatalf("find the coordinator: %v", of.Err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// assign creates the topic with one replica of each partition, on these brokers.
func (l *log) assign(client *kgo.Client, brokers ...int32) {
	l.t.Helper()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = l.topic, -1, -1
	for i, broker := range brokers {
		a := kmsg.NewCreateTopicsRequestTopicReplicaAssignment()
		a.Partition, a.Replicas = int32(i), []int32{broker}
		topic.ReplicaAssignment = append(topic.ReplicaAssignment, a)
	}
	one, config := "1", kmsg.NewCreateTopicsRequestTopicConfig()
	config.Name, config.Value = "min.insync.replicas", &one
	topic.Configs = append(topic.Configs, config)
	req := kmsg.NewCreateTopicsRequest()
	req.Topics, req.TimeoutMillis = append(req.Topics, topic), 10_000
	res, err := req.RequestWith(l.soon(), client)
	if err == nil {
		err = kerr.ErrorForCode(res.Topics[0].ErrorCode)
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

// await waits until partition 0 fulfils a condition.
func (l *log) await(what string, is func(cluster.Partition) bool) {
	l.t.Helper()
	ctx := l.soon()
	for {
		topics, err := l.cluster.Topics(ctx, l.topic)
		if err == nil && len(topics[0].Partitions) > 0 && is(topics[0].Partitions[0]) {
			return
		}
		select {
		case <-ctx.Done():
			l.t.Errorf("waiting until %s: %v", what, err) // may be called from the goroutine of a connection
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// dialled returns the cluster with connections that call before, if given, before each request is
// sent.
func dialled(t *testing.T, brokers []string, topic string, before func(kmsg.Key)) *cluster.Cluster {
	t.Helper()
	config := cluster.Config{Brokers: brokers, Topics: []string{topic}}
	if before != nil {
		config.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			return &watched{conn, before}, err
		}
	}
	kafka, err := cluster.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kafka.Close)
	return kafka
}

// watched is a connection that calls before with the key of each request.
type watched struct {
	net.Conn
	before func(kmsg.Key)
}

func (w *watched) Write(b []byte) (int, error) {
	if len(b) > 6 {
		w.before(kmsg.Key(binary.BigEndian.Uint16(b[4:]))) // after the request's size
	}
	return w.Conn.Write(b)
}

// victim is a broker of deploy/kafka-up.sh.
type victim struct {
	t    *testing.T
	dir  string
	dead bool
}

func (v *victim) kill() {
	pid, err := os.ReadFile(filepath.Join(v.dir, "pid"))
	if err != nil {
		v.t.Error(err)
		return
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(pid)))
	if err == nil {
		err = syscall.Kill(n, syscall.SIGKILL)
	}
	if err != nil {
		v.t.Error(err)
	}
	v.dead = err == nil
}

func (v *victim) start() {
	if !v.dead {
		return
	}
	v.dead = false
	if out, err := exec.Command(filepath.Join(v.dir, "start")).CombinedOutput(); err != nil {
		v.t.Errorf("start %s: %v: %s", v.dir, err, out)
	}
}
