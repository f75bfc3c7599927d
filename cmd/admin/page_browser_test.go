//go:build browser

package admin_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"dfinery-kafka/cmd/admin"
	"dfinery-kafka/pipeline"
	"dfinery-kafka/pipeline/ledger"
)

// TestPage_Browser serves the pages of simulated services and checks them in Chromium;
// .ci/page runs it. PAGE_CHECK is the folder of check.js with its modules installed,
// PAGE_SHOTS the folder for screenshots.
func TestPage_Browser(t *testing.T) {
	standby := busy(1)
	standby.Pipeline.Role, standby.Pipeline.Owner = pipeline.RoleStandby, &ledger.Owner{Instance: "host-7", Beat: noon}
	refused := busy(2)
	refused.Source.Token.Refused, refused.Source.Token.Until = true, noon.Add(10*time.Minute)
	hostile := busy(1)
	const attack = `</script><script>alert(1)</script><img src=x onerror=alert(2)>`
	hostile.Pipeline.Streams[0].Days[5].MissingEvents = []string{attack}
	hostile.Pipeline.Streams[0].Halted = ptr(attack)
	hostile.Letters[0].Detail = attack

	type look struct {
		Path  string   `json:"path"`
		Shows []string `json:"shows"`
		Hides []string `json:"hides,omitempty"`
	}
	pages := []look{
		{Path: "busy/", Shows: []string{"Yesterday", "complete, 1041 rows published", "open after 5 failures (query_error)", "87 of 100", "field_count", "backfill events0", "DfineryBreakerOpen"}},
		{Path: "standby/", Shows: []string{"standby of host-7", "not known here"}},
		{Path: "refused/", Shows: []string{"refused by the API", "The API refuses the Export token."}},
		{Path: "hostile/", Shows: []string{attack}},
		{Path: "starting/", Shows: []string{"No streams are known yet."}, Hides: []string{"settled"}},
		{Path: "wall/?wall", Shows: []string{"Yesterday"}},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		if err := json.NewEncoder(w).Encode(pages); err != nil {
			t.Error(err)
		}
	})
	for prefix, view := range map[string]admin.View{"/busy": busy(3), "/standby": standby, "/refused": refused, "/hostile": hostile, "/wall": busy(2),
		"/starting": {Pipeline: pipeline.Status{Service: "1234", Role: pipeline.RoleStarting, Reasons: []string{"starting"}}}} {
		var looks atomic.Int64
		s := newServer(func(time.Time) admin.View { // each view is a second later, with one more known row
			v, n := view, looks.Add(1)
			v.At = noon.Add(time.Duration(n) * time.Second)
			v.Pipeline.Streams = slices.Clone(view.Pipeline.Streams)
			for i := range v.Pipeline.Streams {
				v.Pipeline.Streams[i].Duplicates = n
			}
			return v
		})
		s.Log, s.RunbookURL = slog.New(slog.DiscardHandler), "https://runbook.example.com/"
		mux.Handle(prefix+"/", http.StripPrefix(prefix, s.Handler()))
	}
	server := httptest.NewServer(mux)
	defer server.Close()
	cmd := exec.CommandContext(t.Context(), "node", os.Getenv("PAGE_CHECK")+"/check.js", server.URL+"/", os.Getenv("PAGE_SHOTS"))
	output, err := cmd.CombinedOutput()
	t.Logf("%s", output)
	if err != nil {
		t.Fatal(err)
	}
}
