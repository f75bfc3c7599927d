package e2e

import (
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"dfinery-kafka/cmd/golden"
	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/pipeline/cluster/clustertest"
	"dfinery-kafka/schema"
)

// withProfiles adds a stream of profiles. The API returns the customer's own user id only on
// request.
func withProfiles(b *testbed, identities string) {
	b.change(func(api *exporttest.Server) { api.IdentitiesOnRequest = true })
	b.set("STREAMS", "events,users", "STREAM_USERS_EXPORT", "userprofile", "STREAM_USERS_TOPIC", b.prefix+"users")
	if identities != "" {
		b.set("STREAM_USERS_IDENTITIES", identities)
	}
}

// situations are what check may find. code is its exit code.
// refusedBefore runs a service whose token the API refuses, so that the ledger has that state.
func refusedBefore(b *testbed) {
	token := b.environ["DFINERY_EXPORT_TOKEN"]
	b.set("DFINERY_EXPORT_TOKEN", "another-"+canary)
	b.run("run", "--once") // it ends with work left
	b.set("DFINERY_EXPORT_TOKEN", token)
}

var situations = map[string]struct {
	args []string
	set  func(*testbed)
	code int
	// repaired: after the remedies' commands check has nothing to report.
	repaired bool
}{
	"nothing was made yet":               {set: func(*testbed) {}},
	"after a run":                        {set: func(b *testbed) { b.runOnce(0) }},
	"as JSON":                            {args: []string{"--json"}, set: func(b *testbed) { b.runOnce(0) }},
	"a call":                             {args: []string{"--call"}, set: func(*testbed) {}},
	"an old variable":                    {set: func(b *testbed) { b.environ["KAFKA_OPTS"] = "-Xmx1g" }},
	"a call of profiles":                 {args: []string{"--call", "--stream", "users"}, set: func(b *testbed) { withProfiles(b, "") }},
	"a call of profiles with identities": {args: []string{"--call", "--stream", "users"}, set: func(b *testbed) { withProfiles(b, "all") }},
	"a wrong token": {args: []string{"--call"}, code: 1, set: func(b *testbed) {
		b.environ["DFINERY_EXPORT_TOKEN"] = "another-" + canary
	}},
	"a token that was refused":            {set: refusedBefore},
	"a token that was refused, asked for": {args: []string{"--state"}, code: 1, set: refusedBefore},
	"a state without a fault":             {args: []string{"--state"}, set: func(b *testbed) { b.runOnce(0) }},
	"a halted stream, asked for": {args: []string{"--state"}, code: 1, set: func(b *testbed) {
		b.set("STREAM_EVENTS_KEY", "customer")
		b.run("run", "--once") // it ends with work left
	}},
	"an open breaker": {set: func(b *testbed) {
		b.set("BREAKER_FAILURES", "1", "BREAKER_OPEN_FOR", "1h", "BREAKER_MAX_OPEN_FOR", "1h")
		b.change(func(api *exporttest.Server) {
			api.Faults = func(exporttest.Call) *exporttest.Fault { return &exporttest.Fault{Code: schema.QueryError} }
		})
		b.run("run", "--once") // it ends with work left
	}},
	"an admin address that is in use": {set: func(b *testbed) {
		b.set("ADMIN_ADDR", strings.TrimPrefix(b.environ["DFINERY_BASE_URL"], "http://"))
	}},
	"another filter, key and properties": {set: func(b *testbed) {
		b.set("STREAMS", "events,buys", "STREAM_EVENTS_EVENTS", "df_login", "STREAM_EVENTS_LOOKBACK", "0", "STREAM_BUYS_TOPIC", b.prefix+"buys", "STREAM_BUYS_START", "0")
		b.runOnce(0)
		b.set("STREAM_EVENTS_EVENTS", "df_login,df_purchase", "STREAM_EVENTS_KEY", "event_name", "STREAM_BUYS_PROPERTIES", "df_order_id")
	}},
	"a spent quota": {args: []string{"--call"}, set: func(b *testbed) {
		b.environ["DFINERY_CALLS_PER_HOUR"], b.environ["STREAM_EVENTS_POLL_INTERVAL"], b.environ["STREAM_EVENTS_LOOKBACK"] = "3", "1h", "0"
		b.run("run", "--once") // ends with work left
	}},
	"an API that looks exclusive": {args: []string{"--call"}, set: func(b *testbed) { b.change(func(api *exporttest.Server) { api.ToDateExclusive = true }) }},
	"an API that looks inclusive": {args: []string{"--call"}, code: 1, set: func(b *testbed) { b.environ["DFINERY_TO_DATE"] = "exclusive" }},
	"no key column": {args: []string{"--call"}, code: 1, set: func(b *testbed) {
		b.environ["STREAM_EVENTS_KEY"] = "customer"
	}},
	"an API that nobody serves": {code: 1, set: func(b *testbed) { b.environ["DFINERY_BASE_URL"] = "http://" + clustertest.ClosedPort(b.t) }},
	"an API without a name":     {code: 1, set: func(b *testbed) { b.environ["DFINERY_BASE_URL"] = "https://api.invalid" }},
	"an API of another CA": {code: 1, set: func(b *testbed) {
		server := httptest.NewUnstartedServer(b.api)
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		b.t.Cleanup(server.Close)
		b.environ["DFINERY_BASE_URL"] = server.URL
	}},
	"a proxy that nobody serves": {code: 1, set: func(b *testbed) {
		b.environ["DFINERY_BASE_URL"], b.environ["HTTPS_PROXY"] = "https://openapi.example", "http://user:"+canary+"@"+clustertest.ClosedPort(b.t)
	}},
	"an API whose clock is ahead": {set: func(b *testbed) {
		b.change(func(api *exporttest.Server) { api.Clock = func() time.Time { return time.Now().Add(2 * time.Minute) } })
	}},
	"an API whose clock is far behind": {code: 1, set: func(b *testbed) {
		b.change(func(api *exporttest.Server) { api.Clock = func() time.Time { return time.Now().Add(-3 * time.Hour) } })
	}},
	"no broker":               {code: 1, set: func(b *testbed) { b.environ["KAFKA_BROKERS"] = clustertest.ClosedPort(b.t) }},
	"one broker of two":       {set: func(b *testbed) { b.environ["KAFKA_BROKERS"] += "," + clustertest.ClosedPort(b.t) }},
	"a broker without a name": {code: 1, set: func(b *testbed) { b.environ["KAFKA_BROKERS"] = "kafka.invalid:9092" }},
	"no Kafka": {code: 1, set: func(b *testbed) {
		b.environ["KAFKA_BROKERS"] = strings.TrimPrefix(b.environ["DFINERY_BASE_URL"], "http://")
	}},
	"TLS to a plain listener": {code: 1, set: func(b *testbed) { b.environ["KAFKA_TLS"] = "true" }},
	"a wrong password":        {code: 1, set: func(b *testbed) { b.login("admin", canary) }},
	"no login": {code: 1, set: func(b *testbed) {
		delete(b.environ, "KAFKA_SASL_MECHANISM")
		delete(b.environ, "KAFKA_SASL_USERNAME")
		delete(b.environ, "KAFKA_SASL_PASSWORD")
	}},
	"no rights, no topics": {code: 1, repaired: true, set: func(b *testbed) { b.loginAsNewUser("dfinery", "dfinery-secret") }},
	"no rights":            {code: 1, repaired: true, set: func(b *testbed) { b.runOnce(0); b.loginAsNewUser("dfinery", "dfinery-secret") }},
	"no topics, none to be made": {code: 1, repaired: true, set: func(b *testbed) {
		b.environ["KAFKA_CREATE_TOPICS"] = "false"
	}},
	"too many replicas": {code: 1, set: func(b *testbed) { b.environ["KAFKA_REPLICATION_FACTOR"] = "5" }},
	"a ledger that forgets": {code: 1, repaired: true, set: func(b *testbed) {
		b.runOnce(0)
		b.setTopicConfig("ledger", "cleanup.policy", "delete")
		b.setTopicConfig("ledger.rows", "retention.ms", "86400000")
		b.setTopicConfig("ledger.rows", "retention.bytes", "1000000")
	}},
	"topics that forget": {repaired: true, set: func(b *testbed) {
		b.runOnce(0)
		b.setTopicConfig("events", "cleanup.policy", "compact")
		b.setTopicConfig("letters", "retention.ms", "3600000")
	}},
	"topics that lose": {repaired: true, set: func(b *testbed) {
		b.runOnce(0)
		b.setTopicConfig("events", "min.insync.replicas", "1")
		b.setTopicConfig("letters", "unclean.leader.election.enable", "true")
		b.setTopicConfig("ledger", "message.timestamp.type", "CreateTime")
		b.setTopicConfig("ledger.rows", "min.insync.replicas", "3")
	}},
	"a ledger with partitions added": {code: 1, set: func(b *testbed) {
		b.runOnce(0)
		b.growTopic("ledger", 8)
	}},
	"at least once": {set: func(b *testbed) { b.environ["DELIVERY"] = "at-least-once"; b.runOnce(0) }},
}

// TestCheck_Situations compares check's report in each situation with a golden file. Then it
// runs the commands that check printed: check must succeed afterwards.
func TestCheck_Situations(t *testing.T) {
	t.Parallel()
	for name, test := range situations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newACLTestbed(t)
			test.set(b)
			args := append([]string{"check"}, test.args...)
			out, got := b.run(args...)
			if got.Code != test.code {
				t.Errorf("exit %d, want %d:\n%s%s", got.Code, test.code, out, got.Stderr)
			}
			golden.Compare(t, "testdata/check/"+strings.NewReplacer(" ", "-", ",", "").Replace(name)+".txt", normalize(out+got.Stderr))
			if !test.repaired {
				return
			}
			for _, remedy := range b.check().remedies() {
				b.runRemedy(remedy)
			}
			if out, got := b.run("check"); got.Code != 0 || strings.Contains(out, "→") {
				t.Errorf("after the remedies: exit %d:\n%s", got.Code, out)
			}
			b.runOnce(0)
		})
	}
}

// TestCheck_BesideOwner runs check while an owner is running: the owner is not interrupted.
func TestCheck_BesideOwner(t *testing.T) {
	t.Parallel()
	b := newACLTestbed(t)
	b.environ["STREAM_EVENTS_POLL_INTERVAL"], b.environ["DFINERY_CALLS_PER_HOUR"] = "200ms", "100000"
	owner := b.start("run")
	owner.await(isOwner)
	calls := func(more int) {
		for before := len(b.api.Calls()); len(b.api.Calls()) < before+more; {
			select {
			case <-time.After(20 * time.Millisecond):
			case <-owner.done:
				t.Fatalf("the owner ended:\n%s", owner.log())
			case <-t.Context().Done():
				t.Fatalf("timeout while waiting for a call of the owner:\n%s", owner.log())
			}
		}
	}
	calls(5)
	for range 3 {
		if out, got := b.run("check", "--call"); got.Code != 0 || !strings.Contains(out, "is the owner") {
			t.Errorf("exit %d:\n%s", got.Code, out)
		}
		calls(3)
	}
	if strings.Contains(owner.log(), "fenced") || strings.Contains(owner.log(), "standby") {
		t.Errorf("the owner was interrupted:\n%s", owner.log())
	}
}

// TestCheck_OneReplica: on a cluster of one broker check has one warning for all topics.
func TestCheck_OneReplica(t *testing.T) {
	t.Parallel()
	b, _ := newScripted(t, &exporttest.Server{Data: exporttest.Data{RowsPerDay: 10}})
	b.runOnce(0)
	out, got := b.run("check")
	if n := strings.Count(out, "1 replica each"); got.Code != 0 || n != 1 {
		t.Errorf("exit %d, %d warnings for topics with one replica:\n%s", got.Code, n, out)
	}
	for _, topic := range []string{"ledger", "ledger.rows", "dead-letters", "events"} {
		expectText(t, out, "ok    topic "+b.prefix+topic+": ")
	}
	expectText(t, out, fmt.Sprintf("warn  replicas: %[1]sledger, %[1]sledger.rows, %[1]sdead-letters, %[1]sevents have 1 replica each", b.prefix))
}
