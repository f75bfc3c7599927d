package main_test

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// console is the admin server of a running program.
type console struct {
	p       *process
	address string
}

var listening = regexp.MustCompile(`"msg":"admin server","address":"([^"]+)"`)

func (p *process) console() console {
	p.t.Helper()
	p.await(`"msg":"admin server"`)
	return console{p, listening.FindStringSubmatch(p.text())[1]}
}

// get is the answer of a path, which never holds the token.
func (c console) get(path string) (int, string) {
	c.p.t.Helper()
	client := &http.Client{Timeout: 10 * time.Second}
	answer, err := client.Get("http://" + c.address + path)
	if err != nil {
		c.p.t.Fatalf("%s: %v\n%s", path, err, c.p.text())
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		c.p.t.Fatalf("%s: %v", path, err)
	}
	if strings.Contains(string(body), canary) {
		c.p.t.Errorf("the token is in %s:\n%s", path, body)
	}
	return answer.StatusCode, string(body)
}

// unready are the parts that are not ready.
func (c console) unready() []string {
	c.p.t.Helper()
	code, body := c.get("/readyz")
	var state struct {
		Ready bool
		Parts []struct {
			Name  string
			Ready bool
		}
	}
	if err := json.Unmarshal([]byte(body), &state); err != nil {
		c.p.t.Fatalf("%v: %s", err, body)
	}
	names := []string{}
	for _, p := range state.Parts {
		if !p.Ready {
			names = append(names, p.Name)
		}
	}
	if state.Ready != (code == http.StatusOK) || state.Ready != (len(names) == 0) {
		c.p.t.Errorf("/readyz: %d %s", code, body)
	}
	return names
}

// until asks again until what it asks for holds.
func (c console) until(what string, holds func() bool) {
	c.p.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			_, status := c.get("/status")
			c.p.t.Fatalf("never %s; status: %s\n%s", what, status, c.p.text())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (c console) awaitUnready(want ...string) {
	c.p.t.Helper()
	c.until("not ready: "+strings.Join(want, ", "), func() bool { return cmp.Equal(append([]string{}, want...), c.unready()) })
	if code, body := c.get("/livez"); code != http.StatusOK {
		c.p.t.Errorf("/livez while %v is not ready: %d %s", want, code, body)
	}
}

// metric is the value of one series, and whether there is one.
func (c console) metric(series string) (float64, bool) {
	c.p.t.Helper()
	_, body := c.get("/metrics")
	for line := range strings.Lines(body) {
		if rest, ok := strings.CutPrefix(line, series+" "); ok {
			value, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil {
				c.p.t.Fatal(err)
			}
			return value, true
		}
	}
	return 0, false
}

// expectMetrics compares series with their values; a series that is not served is NaN's stand-in, -1.
func (c console) expectMetrics(want map[string]float64) {
	c.p.t.Helper()
	got := map[string]float64{}
	for series := range want {
		got[series] = -1
		if v, ok := c.metric(series); ok {
			got[series] = v
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		c.p.t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

// listen gives the program a free port of its own.
func (b *bench) listen() { b.environ["ADMIN_ADDR"] = "127.0.0.1:0" }

func TestAdmin(t *testing.T) {
	t.Parallel()
	b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 51, RowsPerDay: 60}})
	b.quiet()
	b.listen()
	p := b.start(binary, nil, "run")
	c := p.console()
	p.awaitMore(`"code":"ok"`, 2)
	c.awaitUnready()
	c.until("three days", func() bool { v, _ := c.metric(`dfinery_exports_total{code="ok",stream="events"}`); return v == 3 })
	c.expectMetrics(map[string]float64{
		`dfinery_rows_total{result="published",stream="events"}`:   180,
		`dfinery_rows_total{result="duplicate",stream="events"}`:   0,
		`dfinery_rows_total{result="dead_letter",stream="events"}`: 0,
		`dfinery_export_duration_seconds_count{stream="events"}`:   3,
		`dfinery_breaker_state{state="closed"}`:                    1,
		`dfinery_breaker_state{state="open"}`:                      0,
		`dfinery_quota_remaining`:                                  97,
		`dfinery_quota_limit`:                                      100,
		`dfinery_days{state="open",stream="events"}`:               3,
		`dfinery_reach_remaining_seconds{stream="events"}`:         -1,
		`dfinery_owner`:           1,
		`dfinery_ready`:           1,
		`dfinery_produce_waiting`: 0,
		`dfinery_dead_letters_total{stream="events"}`:                -1,
		`dfinery_stream_paused{stream="events"}`:                     0,
		`dfinery_token_refused`:                                      0,
		`dfinery_breaker_transitions_total{from="closed",to="open"}`: -1,
	})
	var status struct {
		Service string `json:"service_id"`
		Role    string
		Ready   bool
		Streams []struct {
			Name      string
			Published int
			Days      []struct {
				Day          string
				State        string
				Rows         int
				Published    int
				Exports      int
				Bad, Missing int
			}
		}
	}
	_, body := c.get("/status")
	if err := json.Unmarshal([]byte(body), &status); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	want := status
	want.Service, want.Role, want.Ready = "1234", "owner", true
	if len(status.Streams) != 1 || len(status.Streams[0].Days) != 3 {
		t.Fatalf("/status: %s", body)
	}
	today := schema.DayOf(time.Now(), seoul)
	want.Streams = append(want.Streams[:0:0], status.Streams[0])
	want.Streams[0].Name, want.Streams[0].Published = "events", 180
	want.Streams[0].Days = append(status.Streams[0].Days[:0:0], status.Streams[0].Days...)
	for i := range want.Streams[0].Days {
		d := &want.Streams[0].Days[i]
		d.Day, d.State, d.Rows, d.Published, d.Exports, d.Bad, d.Missing = (today - schema.Day(i)).String(), "open", 60, 60, 1, 0, 0
	}
	if diff := cmp.Diff(want, status); diff != "" {
		t.Errorf("/status (-want +got):\n%s", diff)
	}
}

func TestAdminPortInUse(t *testing.T) {
	t.Parallel()
	b := newBench(t, &exporttest.Server{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	b.environ["ADMIN_ADDR"] = l.Addr().String()
	_, got := b.run("run", "--once")
	want := "dfinery-kafka: ADMIN_ADDR: admin server: listen tcp " + l.Addr().String() + ": bind: address already in use\n"
	if diff := cmp.Diff(result{1, want}, got); diff != "" {
		t.Errorf("exit (-want +got):\n%s", diff)
	}
}

// TestReadyWithoutKafka: no Kafka at the start, then one, then none again, then one.
func TestReadyWithoutKafka(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 52, RowsPerDay: 5}})
	b.environ["KAFKA_BROKERS"] = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	b.listen()
	p := b.start(binary, nil, "run")
	c := p.console()
	c.awaitUnready("owner", "ledger", "kafka")
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(port))
	if err != nil {
		t.Fatal(err)
	}
	c.awaitUnready()
	kafka.Close()
	c.until("without Kafka", func() bool { return strings.Contains(strings.Join(c.unready(), ","), "kafka") })
	if code, body := c.get("/livez"); code != http.StatusOK {
		t.Errorf("/livez without Kafka: %d %s", code, body)
	}
}

// TestReadyAndToken: a refused token, then one that is taken.
func TestReadyAndToken(t *testing.T) {
	t.Parallel()
	b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 53, RowsPerDay: 5}})
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte("an-older-one"), 0o600); err != nil {
		t.Fatal(err)
	}
	delete(b.environ, "DFINERY_EXPORT_TOKEN")
	b.environ["DFINERY_EXPORT_TOKEN_FILE"] = path
	b.listen()
	c := b.start(binary, nil, "run").console()
	c.awaitUnready("token")
	c.expectMetrics(map[string]float64{"dfinery_token_refused": 1, "dfinery_ready": 0, "dfinery_owner": 1})
	if err := os.WriteFile(path, []byte(canary), 0o600); err != nil {
		t.Fatal(err)
	}
	c.awaitUnready()
}

// TestReadyAndBreaker: an open breaker is no reason to take the instance out.
func TestReadyAndBreaker(t *testing.T) {
	t.Parallel()
	b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 54, RowsPerDay: 5},
		Faults: func(exporttest.Call) *exporttest.Fault { return &exporttest.Fault{Code: schema.UnknownError} }})
	b.environ["BREAKER_FAILURES"], b.environ["DFINERY_CONCURRENT_CALLS"] = "2", "1"
	b.listen()
	c := b.start(binary, nil, "run").console()
	c.until("open", func() bool { v, _ := c.metric(`dfinery_breaker_state{state="open"}`); return v == 1 })
	c.awaitUnready()
	c.expectMetrics(map[string]float64{
		`dfinery_breaker_transitions_total{from="closed",to="open"}`:                     1,
		`dfinery_exports_total{code="unknown_error",stream="events"}`:                    2,
		`dfinery_days{state="pending",stream="events"}`:                                  3, // the third was not tried
		`dfinery_dead_letters_total{code="unknown_error",kind="export",stream="events"}`: 2,
	})
}

// TestReadyAndStandby: who was taken over from is alive and not ready, and says nothing of what is not its own any more.
func TestReadyAndStandby(t *testing.T) {
	t.Parallel()
	b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 55, RowsPerDay: 5}})
	b.listen()
	first := b.start(binary, nil, "run").console()
	first.awaitUnready()
	second := b.start(binary, nil, "run").console()
	second.awaitUnready()
	first.awaitUnready("owner", "ledger")
	first.expectMetrics(map[string]float64{"dfinery_owner": 0, "dfinery_ready": 0, "dfinery_quota_remaining": -1, `dfinery_days{state="open",stream="events"}`: -1})
	second.p.kill()
	first.awaitUnready()
	first.expectMetrics(map[string]float64{"dfinery_owner": 1, "dfinery_ready": 1})
}

// TestReadyAndStopping: a process that is told to end says so for as long as that takes, here because Kafka takes no records.
func TestReadyAndStopping(t *testing.T) {
	t.Parallel()
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kafka.Close)
	b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 56, RowsPerDay: 5}})
	b.environ["KAFKA_BROKERS"], b.environ["SHUTDOWN_TIMEOUT"] = kafka.ListenAddrs()[0], "3s"
	b.listen()
	p := b.start(binary, nil, "run")
	c := p.console()
	c.awaitUnready()
	kafka.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		kafka.KeepControl()
		return nil, errors.New("this broker takes no records"), true
	})
	c.awaitUnready("kafka")
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	c.awaitUnready("kafka", "process")
	<-p.done
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit %d:\n%s", code, p.text())
	}
}
