package main_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// seoul is the source's time zone, without daylight time, so that the tests need no zone data.
var seoul = time.FixedZone("Asia/Seoul", 9*3600)

// bench is one service under test: a simulated API, a Kafka, and the environment of the program between them.
type bench struct {
	t       *testing.T
	api     *exporttest.Server
	brokers string
	prefix  string // of all topics
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
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	refuseOldEpochs(cluster)
	return strings.Join(cluster.ListenAddrs(), ",")
}

func newBench(t *testing.T, api *exporttest.Server) *bench {
	t.Helper()
	api.Token = canary
	b := &bench{t: t, api: api, brokers: brokers(t), prefix: fmt.Sprintf("t%08x.", rand.Uint32())}
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

// process is the program running.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	mu   sync.Mutex
	log  bytes.Buffer
	news chan struct{} // has something when a line was added
	done chan struct{} // closed when it has ended
}

// start starts a binary and ends it, at the latest, with the test.
func (b *bench) start(program string, environ []string, args ...string) *process {
	b.t.Helper()
	p := &process{t: b.t, cmd: exec.Command(program, args...), news: make(chan struct{}, 1), done: make(chan struct{})}
	p.cmd.Env = append(b.env(), environ...)
	out, err := p.cmd.StderrPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			p.mu.Lock()
			p.log.WriteString(lines.Text() + "\n")
			p.mu.Unlock()
			select {
			case p.news <- struct{}{}:
			default:
			}
		}
		_ = p.cmd.Wait() // how it ended is in ProcessState
	}()
	b.t.Cleanup(p.kill)
	return p
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended already
	<-p.done
	if strings.Contains(p.text(), canary) {
		p.t.Errorf("the token is in the log:\n%s", p.text())
	}
}

func (p *process) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// await waits until the log holds text.
func (p *process) await(text string) {
	p.t.Helper()
	p.awaitMore(text, 0)
}

// awaitMore waits until the log holds text more than n times.
func (p *process) awaitMore(text string, n int) {
	p.t.Helper()
	deadline := time.After(time.Minute)
	for strings.Count(p.text(), text) <= n {
		select {
		case <-p.news:
		case <-p.done:
			if strings.Count(p.text(), text) <= n {
				p.t.Fatalf("the program ended without saying %q:\n%s", text, p.text())
			}
		case <-deadline:
			p.t.Fatalf("the program does not say %q:\n%s", text, p.text())
		}
	}
}

// message is a record as a consumer sees it.
type message struct {
	Partition          int32
	Key, Value         string
	ID, Export, Reason string
	Headers            map[string]string
}

// consume reads a topic from its start to its end with a client that is not ours.
func (b *bench) consume(topic string, isolation kgo.IsolationLevel) []message {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(b.brokers, ",")...), kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(isolation),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.KeepControlRecords(), kgo.FetchMaxWait(100*time.Millisecond))
	if err != nil {
		b.t.Fatal(err)
	}
	defer client.Close()
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, topic)
	if err != nil {
		b.t.Fatal(err)
	}
	left := map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			left[o.Partition] = o.Offset
		}
	})
	var all []message
	for len(left) > 0 {
		fetched := client.PollFetches(ctx)
		if err := fetched.Err(); err != nil {
			b.t.Fatalf("read %s: %v, not read: %v", topic, err, left)
		}
		fetched.EachRecord(func(r *kgo.Record) {
			if r.Offset+1 >= left[r.Partition] {
				delete(left, r.Partition)
			}
			if r.Attrs.IsControl() {
				return
			}
			m := message{Partition: r.Partition, Key: string(r.Key), Value: string(r.Value), Headers: map[string]string{}}
			for _, h := range r.Headers {
				m.Headers[h.Key] = string(h.Value)
				switch h.Key {
				case "id":
					m.ID = string(h.Value)
				case "export":
					m.Export = string(h.Value)
				case "__connect.errors.exception.class.name":
					m.Reason = string(h.Value)
				}
			}
			all = append(all, m)
		})
	}
	return all
}

// published are the records of a topic as column → value, whatever their order, after checks that hold for every record.
func (b *bench) published(stream string) []map[string]string {
	b.t.Helper()
	committed, all := b.consume(b.prefix+stream, kgo.ReadCommitted()), b.consume(b.prefix+stream, kgo.ReadUncommitted())
	if len(committed) != len(all) {
		b.t.Errorf("read_committed sees %d records, read_uncommitted %d", len(committed), len(all))
	}
	ids := map[string]bool{}
	var records []map[string]string
	for _, m := range all {
		record := map[string]string{}
		if err := json.Unmarshal([]byte(m.Value), &record); err != nil {
			b.t.Fatalf("record %s: %v", m.Value, err)
		}
		if record["df_unified_id"] != m.Key {
			b.t.Errorf("key %q, the row has %q", m.Key, record["df_unified_id"])
		}
		day := m.Export[:strings.LastIndex(m.Export, "/")]
		if ids[day+m.ID] {
			b.t.Errorf("id %s of %s stands there twice", m.ID, day)
		}
		ids[day+m.ID] = true
		records = append(records, record)
	}
	return records
}

// served is what the simulator has handed out, of all days: each row as often as one export had it at most.
func (b *bench) served(kind schema.Kind) []map[string]string {
	byDay := map[schema.Day][]exporttest.Table{}
	for _, call := range b.api.Calls() {
		if call.Code == "" && call.Kind == kind && call.Status == 200 && call.Whole {
			byDay[call.Query.From] = append(byDay[call.Query.From], b.api.Expected(call))
		}
	}
	var records []map[string]string
	for _, tables := range byDay {
		records = append(records, exporttest.Union(tables...)...)
	}
	return records
}

// compare fails unless both hold the same records, each as often.
func compare(t *testing.T, want, got []map[string]string) {
	t.Helper()
	count := map[string]int{}
	for _, r := range want {
		count[text(r)]++
	}
	for _, r := range got {
		count[text(r)]--
	}
	shown := 0
	for r, n := range count {
		if n != 0 && shown < 10 {
			shown++
			t.Errorf("%+d of the record %s", -n, r)
		}
	}
	if len(want) == 0 || shown > 0 {
		t.Errorf("%d records are published, %d were served", len(got), len(want))
	}
}

func text(record map[string]string) string {
	b, _ := json.Marshal(record) // sorted by name
	return string(b)
}
