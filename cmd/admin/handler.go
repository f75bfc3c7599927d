package admin

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"dfinery-kafka/pipeline"
)

// Handler serves all paths.
func (s *Server) Handler() http.Handler {
	s.prepare()
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", newPageHandler(s))
	mux.HandleFunc("GET /"+runbookPath, newRunbookHandler(s))
	mux.HandleFunc("GET /livez", s.livez)
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) {
		v := s.Look(s.now())
		answer(w, http.StatusOK, v.status())
	})
	mux.Handle("GET /metrics", share(promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{Registry: s.registry})))
	if s.Pprof {
		profiles(mux)
	}
	return mux
}

// livez fails only for faults that a restart fixes.
func (s *Server) livez(w http.ResponseWriter, _ *http.Request) {
	now := s.now()
	v := s.Look(now)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if v.Hangs(now) {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, "the loop has not turned since "+v.Pipeline.Turned.UTC().Format(time.RFC3339)+"\n")
		return
	}
	_, _ = io.WriteString(w, "ok\n")
}

// readyz reports whether the instance is the owner and can export. With standby=ok a
// standby is ready, too: an orchestrator that runs two instances expects both to become
// ready.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	v := s.Look(s.now())
	parts := v.Parts()
	if r.URL.Query().Get("standby") == "ok" && v.Pipeline.Role == pipeline.RoleStandby {
		parts = v.standbyParts()
	}
	state := Readiness{true, parts}
	code := http.StatusOK
	for _, p := range state.Parts {
		if !p.Ready {
			state.Ready, code = false, http.StatusServiceUnavailable
		}
	}
	answer(w, code, state)
}

func answer(w http.ResponseWriter, code int, value any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_, _ = w.Write(b.Bytes())
}

// profiles serves Go's profiles, whose handlers extend the server's time limit to the
// requested duration.
func profiles(mux *http.ServeMux) {
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
}
