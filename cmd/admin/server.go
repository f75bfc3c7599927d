package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/net/netutil"
)

// Server is the admin HTTP server of one service. All fields are set before Start.
type Server struct {
	Addr    string                   // host:port; port 0 is any free one
	Look    func(now time.Time) View // safe for concurrent use, and fast
	Streams []string                 // the configured ones
	Build   Build
	Pprof   bool // serve Go profiles under /debug/pprof/, too
	Log     *slog.Logger
	Now     func() time.Time // nil: time.Now

	// What the status page shows beside the View.
	Location   *time.Location // in which the source's days begin; nil: UTC
	Delivery   string         // the delivery guarantee in force
	Runbook    string         // its text, in Markdown, served at /runbook; empty: nowhere
	RunbookURL string         // where links to it lead instead

	durations *prometheus.HistogramVec
	registry  *prometheus.Registry
	once      sync.Once // makes the two above
	http      *http.Server
	listener  net.Listener
	serving   sync.WaitGroup
}

// Build is what the binary was built from.
type Build struct{ Version, Commit, Go string }

// Limits of a client. A scrape is answered in milliseconds; only a profile takes longer, and its handler sees to that.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 5 * time.Second
	writeTimeout  = 15 * time.Second
	idleTimeout   = time.Minute
	maxHeader     = 8 << 10
	maxConns      = 512 // more wait in the listener's backlog
)

// Start listens and begins to serve. An error is that of the address: in use, or not this machine's.
func (s *Server) Start(ctx context.Context) error {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", s.Addr)
	if err != nil {
		return fmt.Errorf("admin server: %w", err)
	}
	s.listener = netutil.LimitListener(l, maxConns) // slow clients hold theirs, and memory
	s.http = &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug), // what clients do wrong is their affair
	}
	s.serving.Go(func() {
		if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			s.Log.Error("the admin server has ended", "error", err, "do", "start again: nothing answers probes and scrapes")
		}
	})
	s.Log.Info("admin server", "address", l.Addr().String())
	return nil
}

// Address is where the server listens. It may be asked once Start has succeeded.
func (s *Server) Address() string { return s.listener.Addr().String() }

// Close answers what is under way, no longer than ctx, and ends the server.
func (s *Server) Close(ctx context.Context) {
	if s.http == nil {
		return
	}
	if err := s.http.Shutdown(ctx); err != nil {
		_ = s.http.Close() // those who are still connected are slow, and are let go
	}
	s.serving.Wait()
}

// Observe counts an export's duration. It may be called before Start.
func (s *Server) Observe(stream string, took time.Duration) {
	s.prepare()
	s.durations.WithLabelValues(stream).Observe(took.Seconds())
}

// prepare makes the metrics once: an Observe may come before the server starts.
func (s *Server) prepare() {
	s.once.Do(func() {
		m := metrics()[duration]
		s.durations = prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: m.name, Help: m.help, Buckets: []float64{1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200},
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100, NativeHistogramMinResetDuration: time.Hour,
		}, m.labels)
		for _, name := range s.Streams {
			s.durations.WithLabelValues(name)
		}
		s.registry = prometheus.NewRegistry()
		s.registry.MustRegister(newCollector(s), s.durations, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	})
}

func (s *Server) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}
