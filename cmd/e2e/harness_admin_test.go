package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
)

// adminClient sends requests to the admin server of a running program.
type adminClient struct {
	p       *process
	address string
}

var adminAddress = regexp.MustCompile(`"msg":"admin server","address":"([^"]+)"`)

// withAdminServer makes the program listen on a free port.
func (b *testbed) withAdminServer() { b.set("ADMIN_ADDR", "127.0.0.1:0") }

// admin waits until the admin server listens.
func (p *process) admin() adminClient {
	p.t.Helper()
	p.await(`"msg":"admin server"`)
	return adminClient{p, adminAddress.FindStringSubmatch(p.log())[1]}
}

// get returns the status and the body of a path. No body may contain the token.
func (c adminClient) get(path string) (int, string) {
	c.p.t.Helper()
	client := &http.Client{Timeout: 10 * time.Second}
	answer, err := client.Get("http://" + c.address + path)
	if err != nil {
		c.p.t.Fatalf("%s: %v\n%s", path, err, c.p.log())
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

// notReady returns the parts that /readyz reports as not ready.
func (c adminClient) notReady() []string {
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

// await waits until a condition holds, and fails the test after half a minute.
func (c adminClient) await(what string, holds func() bool) {
	c.p.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			_, status := c.get("/status")
			c.p.t.Fatalf("timeout while waiting for: %s; status: %s\n%s", what, status, c.p.log())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// awaitNotReady waits until exactly these parts are not ready; without arguments, until all
// are ready. Then /livez must succeed.
func (c adminClient) awaitNotReady(want ...string) {
	c.p.t.Helper()
	c.await("not ready: "+strings.Join(want, ", "), func() bool { return cmp.Equal(append([]string{}, want...), c.notReady()) })
	if code, body := c.get("/livez"); code != http.StatusOK {
		c.p.t.Errorf("/livez while %v is not ready: %d %s", want, code, body)
	}
}

// metric returns the value of a series, and whether it is served.
func (c adminClient) metric(series string) (float64, bool) {
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

// expectMetrics compares the values of series; -1 means a series that is not served.
func (c adminClient) expectMetrics(want map[string]float64) {
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
