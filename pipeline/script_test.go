package pipeline

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/cluster/clustertest"
	"dfinery-kafka/pipeline/scripttest"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata")

// TestTakeover_Scripts runs the scripts in testdata/takeover, commands for instances of one
// service, and compares what the instances log and the steps of their protocol. script.run
// lists the commands. Times are relative to the start of the script; producers are named p1,
// p2 in the order of their occurrence, and p1/3 is p1 with epoch 3.
func TestTakeover_Scripts(t *testing.T) {
	scripttest.Files(t, "testdata/takeover/*.txt", *update, func(t *testing.T, text string) (got string) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) { got = scripttest.Play(text, newScript(t).run) })
		return got
	})
}

// script is one service and its Kafka. Each instance has its own link to Kafka.
type script struct {
	t         *testing.T
	began     time.Time
	kafka     *kfake.Cluster
	net       clustertest.Network
	api       scriptedAPI
	instances []*instance
	forgotten atomic.Int32      // how often the command forget was executed
	producers map[string]string // short names by id
}

// instance is one process.
type instance struct {
	name    string
	link    *link
	cluster *cluster.Cluster
	service *Service
	stop    context.CancelFunc
	ended   chan error // closed after the result of Run

	mu     sync.Mutex
	logged bytes.Buffer
	last   string // line
	killed bool   // its log is discarded
}

func newScript(t *testing.T) *script {
	s := &script{t: t, began: time.Now(), producers: map[string]string{}}
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ListenFn(s.net.Listen), kfake.BrokerConfigs(map[string]string{
		// Periodic work of the broker that the scripts do not need.
		"log.cleaner.backoff.ms": "21600000", "share.record.lock.sweep.interval.ms": "21600000", "offsets.retention.check.interval.ms": "21600000",
	}))
	if err != nil {
		t.Fatal(err)
	}
	s.kafka = kafka
	for _, key := range []kmsg.Key{kmsg.InitProducerID, kmsg.AddPartitionsToTxn, kmsg.EndTxn} {
		kafka.ControlKey(key.Int16(), s.nameTransaction)
	}
	clustertest.RefuseOldEpochs(kafka)
	t.Cleanup(func() {
		for _, i := range s.instances {
			i.kill()
		}
		for _, i := range s.instances {
			<-i.ended
		}
		kafka.Close()
	})
	return s
}

// nameTransaction appends the number of forget commands to transactional ids, so that Kafka does
// not know their former state.
func (s *script) nameTransaction(r kmsg.Request) (kmsg.Response, error, bool) {
	s.kafka.KeepControl()
	suffix := ""
	if n := s.forgotten.Load(); n > 0 {
		suffix = fmt.Sprint("#", n)
	}
	switch r := r.(type) {
	case *kmsg.InitProducerIDRequest:
		*r.TransactionalID += suffix
	case *kmsg.AddPartitionsToTxnRequest:
		r.TransactionalID += suffix
	case *kmsg.EndTxnRequest:
		r.TransactionalID += suffix
	}
	return nil, nil, false
}

// run executes one command and returns what the instances log during it and in the second
// after it:
//
//	start NAME [once]        start an instance
//	stop NAME                stop it in order
//	kill NAME                kill it
//	hang NAME                hold all data that it sends and receives
//	wake NAME [for=DURATION] release it, and advance the clock
//	rows N [every=DURATION]  add N rows to the API's answers, with a delay before each
//	forget                   expire the transactional ids in Kafka
//	delete TOPIC             delete a topic
//	create TOPIC N           create a topic with N partitions
//	partitions TOPIC N       add N partitions
//	wait DURATION            advance the clock
//	show                     print the owner's record and the records in the topic
//	status NAME              print the status of an instance
func (s *script) run(args []string) string {
	var out strings.Builder
	switch args[0] {
	case "start":
		s.start(args[1], len(args) > 2)
	case "stop":
		s.instance(args[1]).stop()
	case "kill":
		s.instance(args[1]).kill()
	case "hang":
		s.instance(args[1]).link.hold()
	case "wake":
		s.instance(args[1]).link.release()
		time.Sleep(s.duration(args[2:], "for="))
	case "rows":
		n, err := strconv.Atoi(args[1])
		s.must(err)
		s.api.rows(n, s.duration(args[2:], "every="))
	case "forget":
		s.forgotten.Add(1)
	case "delete", "create", "partitions":
		s.administer(args[0], args[1], args[2:])
	case "wait":
		time.Sleep(s.duration(args[1:], ""))
	case "show":
		s.show(&out)
	case "status":
		st := s.instance(args[1]).service.Status()
		fmt.Fprintf(&out, "%s %s\n", st.Role, strings.Join(st.Reasons, ", "))
	default:
		s.t.Fatalf("unknown command %s", args[0])
	}
	time.Sleep(time.Second)
	synctest.Wait()
	for _, i := range s.instances {
		i.writeLog(&out)
	}
	return s.name(out.String())
}
