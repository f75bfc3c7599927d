package e2e

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/pipeline/cluster/clustertest"
)

// seoul is the source's time zone, without daylight time, so that the tests need no zone data.
var seoul = time.FixedZone("Asia/Seoul", 9*3600)

// bench is one service under test: a simulated API, a Kafka, and the environment of the program between them.
type bench struct {
	t       *testing.T
	api     *exporttest.Server
	brokers string
	admins  []kgo.Opt // how those log in who may do everything
	prefix  string    // of all topics
	environ map[string]string
	order   map[string]int // see places

	changing sync.RWMutex
}

// brokers are those that KAFKA_TEST_BROKERS names, a real Kafka, or else an embedded one.
func brokers(t *testing.T) string {
	t.Helper()
	if named := os.Getenv("KAFKA_TEST_BROKERS"); named != "" {
		return named
	}
	cluster := embedded(t, kfake.NumBrokers(1))
	clustertest.RefuseOldEpochs(cluster)
	return strings.Join(cluster.ListenAddrs(), ",")
}

// embedded is a broker within the test, and gone with it.
func embedded(t *testing.T, options ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	cluster, err := kfake.NewCluster(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return cluster
}

func newBench(t *testing.T, api *exporttest.Server) *bench {
	t.Helper()
	api.Token = canary
	b := &bench{t: t, api: api, brokers: brokers(t), prefix: fmt.Sprintf("t%08x.", rand.Uint32())}
	if os.Getenv("KAFKA_TEST_BROKERS") != "" {
		t.Cleanup((&bench{t: t, brokers: b.brokers, prefix: b.prefix}).leave) // some tests go on to another cluster
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.changing.RLock()
		api := b.api // after any change
		b.changing.RUnlock()
		api.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	b.environ = map[string]string{
		"DFINERY_BASE_URL": server.URL, "DFINERY_SERVICE_ID": "1234", "DFINERY_EXPORT_TOKEN": canary, "KAFKA_BROKERS": b.brokers,
		"STREAM_EVENTS_TOPIC": b.prefix + "events", "DEAD_LETTER_TOPIC": b.prefix + "dead-letters", "LEDGER_TOPIC": b.prefix + "ledger",
		"STREAM_EVENTS_START": "2", "ADMIN_ADDR": "", "RETRY_BACKOFF": "20ms", "RETRY_MAX_BACKOFF": "200ms", "OWNER_HEARTBEAT": "200ms", "STANDBY_AFTER": "1s",
	}
	return b
}

// change changes the simulator before its next call.
func (b *bench) change(do func(*exporttest.Server)) {
	b.changing.Lock()
	defer b.changing.Unlock()
	do(b.api)
}

func (b *bench) env() []string {
	environ := []string{"PATH=/bin"}
	for _, name := range slices.Sorted(maps.Keys(b.environ)) {
		environ = append(environ, name+"="+b.environ[name])
	}
	return environ
}

// run runs the program to its end.
func (b *bench) run(args ...string) (string, result) {
	b.t.Helper()
	return run(b.t, b.env(), args...)
}
