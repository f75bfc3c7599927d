package admin_test

import (
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"dfinery-kafka/deploy"
)

// TestRunbook: unless another address is configured, the page links to the server's own copy
// of the runbook, whose sections have the names of the alerts.
func TestRunbook(t *testing.T) {
	t.Parallel()
	v := busy(1)
	v.Source.Token.Refused = true
	v.Pipeline.Streams[0].Halted = ptr("bad_header: no column df_unified_id")
	s := newServer(of(v))
	s.Log, s.Runbook = slog.New(slog.DiscardHandler), deploy.Runbook()
	_, page := ask(s, "/")
	_, runbook := ask(s, "/runbook")
	links := regexp.MustCompile(`href="runbook#([^"]+)"`).FindAllStringSubmatch(page, -1)
	if len(links) < 3 {
		t.Errorf("%d links to the runbook: %s", len(links), page)
	}
	for _, link := range links {
		if !strings.Contains(runbook, `<section id="`+link[1]+`">`) {
			t.Errorf("the runbook has no section %s", link[1])
		}
	}
	for _, want := range []string{"<h1>Runbook</h1>", "<h2>DfineryGap</h2>", "**Meaning**"} {
		if !strings.Contains(runbook, want) {
			t.Errorf("the runbook lacks %q: %.2000s", want, runbook)
		}
	}
	s.Runbook = ""
	if code, _ := ask(s, "/runbook"); code != http.StatusNotFound {
		t.Errorf("without a runbook: status %d", code)
	}
}
