package e2e

import (
	"io"
	"log"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"dfinery-kafka/connector/exporttest"
)

var situations = map[string]struct {
	args []string
	make func(*situation)
	code int
	// mended says that the commands among the remedies, carried out, leave nothing to say.
	mended bool
}{
	"nothing was made yet": {make: func(*situation) {}},
	"after a run":          {make: (*situation).ran},
	"as JSON":              {args: []string{"--json"}, make: (*situation).ran},
	"a call":               {args: []string{"--call"}, make: func(*situation) {}},
	"an old variable":      {make: func(s *situation) { s.environ["KAFKA_OPTS"] = "-Xmx1g" }},
	"a wrong token": {args: []string{"--call"}, code: 1, make: func(s *situation) {
		s.environ["DFINERY_EXPORT_TOKEN"] = "another-" + canary
	}},
	"a spent quota": {args: []string{"--call"}, make: func(s *situation) {
		s.environ["DFINERY_CALLS_PER_HOUR"], s.environ["STREAM_EVENTS_POLL_INTERVAL"], s.environ["STREAM_EVENTS_LOOKBACK"] = "3", "1h", "0"
		s.run("run", "--once") // it ends with work left
	}},
	"an API that looks exclusive": {args: []string{"--call"}, make: func(s *situation) { s.change(func(api *exporttest.Server) { api.ToDateExclusive = true }) }},
	"an API that looks inclusive": {args: []string{"--call"}, code: 1, make: func(s *situation) { s.environ["DFINERY_TO_DATE"] = "exclusive" }},
	"no key column": {args: []string{"--call"}, code: 1, make: func(s *situation) {
		s.environ["STREAM_EVENTS_KEY"] = "customer"
	}},
	"an API that nobody serves": {code: 1, make: func(s *situation) { s.environ["DFINERY_BASE_URL"] = "http://" + closedPort(s.t) }},
	"an API without a name":     {code: 1, make: func(s *situation) { s.environ["DFINERY_BASE_URL"] = "https://api.invalid" }},
	"an API of another CA": {code: 1, make: func(s *situation) {
		server := httptest.NewUnstartedServer(s.api)
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		s.t.Cleanup(server.Close)
		s.environ["DFINERY_BASE_URL"] = server.URL
	}},
	"a proxy that nobody serves": {code: 1, make: func(s *situation) {
		s.environ["DFINERY_BASE_URL"], s.environ["HTTPS_PROXY"] = "https://openapi.example", "http://user:"+canary+"@"+closedPort(s.t)
	}},
	"an API whose clock is ahead": {make: func(s *situation) {
		s.change(func(api *exporttest.Server) { api.Clock = func() time.Time { return time.Now().Add(2 * time.Minute) } })
	}},
	"an API whose clock is far behind": {code: 1, make: func(s *situation) {
		s.change(func(api *exporttest.Server) { api.Clock = func() time.Time { return time.Now().Add(-3 * time.Hour) } })
	}},
	"no broker":               {code: 1, make: func(s *situation) { s.environ["KAFKA_BROKERS"] = closedPort(s.t) }},
	"one broker of two":       {make: func(s *situation) { s.environ["KAFKA_BROKERS"] += "," + closedPort(s.t) }},
	"a broker without a name": {code: 1, make: func(s *situation) { s.environ["KAFKA_BROKERS"] = "kafka.invalid:9092" }},
	"no Kafka": {code: 1, make: func(s *situation) {
		s.environ["KAFKA_BROKERS"] = strings.TrimPrefix(s.environ["DFINERY_BASE_URL"], "http://")
	}},
	"TLS to a plain listener": {code: 1, make: func(s *situation) { s.environ["KAFKA_TLS"] = "true" }},
	"a wrong password":        {code: 1, make: func(s *situation) { s.login("admin", canary) }},
	"no login": {code: 1, make: func(s *situation) {
		delete(s.environ, "KAFKA_SASL_MECHANISM")
		delete(s.environ, "KAFKA_SASL_USERNAME")
		delete(s.environ, "KAFKA_SASL_PASSWORD")
	}},
	"no rights, no topics": {code: 1, mended: true, make: func(s *situation) { s.user("dfinery", "dfinery-secret") }},
	"no rights":            {code: 1, mended: true, make: func(s *situation) { s.ran(); s.user("dfinery", "dfinery-secret") }},
	"no topics, none to be made": {code: 1, mended: true, make: func(s *situation) {
		s.environ["KAFKA_CREATE_TOPICS"] = "false"
	}},
	"too many replicas": {code: 1, make: func(s *situation) { s.environ["KAFKA_REPLICATION_FACTOR"] = "5" }},
	"a ledger that forgets": {code: 1, mended: true, make: func(s *situation) {
		s.ran()
		s.alter("ledger", "cleanup.policy", "delete")
		s.alter("ledger.rows", "retention.ms", "86400000")
		s.alter("ledger.rows", "retention.bytes", "1000000")
	}},
	"topics that forget": {mended: true, make: func(s *situation) {
		s.ran()
		s.alter("events", "cleanup.policy", "compact")
		s.alter("letters", "retention.ms", "3600000")
	}},
	"topics that lose": {mended: true, make: func(s *situation) {
		s.ran()
		s.alter("events", "min.insync.replicas", "1")
		s.alter("letters", "unclean.leader.election.enable", "true")
		s.alter("ledger", "message.timestamp.type", "CreateTime")
		s.alter("ledger.rows", "min.insync.replicas", "3")
	}},
	"a ledger with partitions added": {code: 1, make: func(s *situation) {
		s.ran()
		s.grow("ledger", 8)
	}},
	"at least once": {make: func(s *situation) { s.environ["DELIVERY"] = "at-least-once"; s.ran() }},
}

// TestCheck: check says of each situation what is wrong with it, and its remedies, carried out as printed, mend it.
func TestCheck(t *testing.T) {
	t.Parallel()
	for name, test := range situations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSituation(t)
			test.make(s)
			args := append([]string{"check"}, test.args...)
			out, got := s.run(args...)
			if got.Code != test.code {
				t.Errorf("exit %d, want %d:\n%s%s", got.Code, test.code, out, got.Stderr)
			}
			golden(t, "testdata/check/"+strings.NewReplacer(" ", "-", ",", "").Replace(name)+".txt", s.plain(out+got.Stderr))
			if !test.mended {
				return
			}
			for _, remedy := range s.remedies() {
				s.carryOut(remedy)
			}
			if out, got := s.run("check"); got.Code != 0 || strings.Contains(out, "→") {
				t.Errorf("after the remedies, exit %d:\n%s", got.Code, out)
			}
			s.ran()
		})
	}
}

// TestCheckBesideTheOwner shows that an owner goes on through checks.
func TestCheckBesideTheOwner(t *testing.T) {
	t.Parallel()
	s := newSituation(t)
	s.environ["STREAM_EVENTS_POLL_INTERVAL"], s.environ["DFINERY_CALLS_PER_HOUR"] = "200ms", "100000"
	owner := s.start(binary, nil, "run")
	owner.await(`"msg":"owner"`)
	calls := func(more int) {
		for before := len(s.api.Calls()); len(s.api.Calls()) < before+more; {
			select {
			case <-time.After(20 * time.Millisecond):
			case <-owner.done:
				t.Fatalf("the owner ended:\n%s", owner.text())
			case <-t.Context().Done():
				t.Fatalf("the owner makes no more calls:\n%s", owner.text())
			}
		}
	}
	calls(5)
	for range 3 {
		if out, got := s.run("check", "--call"); got.Code != 0 || !strings.Contains(out, "is the owner") {
			t.Errorf("exit %d:\n%s", got.Code, out)
		}
		calls(3)
	}
	if strings.Contains(owner.text(), "fenced") || strings.Contains(owner.text(), "stand-by") {
		t.Errorf("the owner was disturbed:\n%s", owner.text())
	}
}
