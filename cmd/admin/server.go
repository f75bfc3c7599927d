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
	Addr    string                   // host:port; port 0: any free port
	Look    func(now time.Time) View // safe for concurrent use, and fast
	Streams []string                 // the configured ones
	Build   Build
	Pprof   bool // serve Go profiles under /debug/pprof/, too
	Log     *slog.Logger
	Now     func() time.Time // nil: time.Now

	// Shown on the status page in addition to the View.
	Location   *time.Location // time zone of the source's days; nil: UTC
	Delivery   string         // the delivery guarantee in force
	Runbook    string         // Markdown, served at /runbook; empty: not served
	RunbookURL string         // target of links to it instead

	durations *prometheus.HistogramVec
	registry  *prometheus.Registry
	once      sync.Once // initializes the two fields above
	http      *http.Server
	listener  net.Listener
	serving   sync.WaitGroup
}

// Build describes the binary.
type Build struct{ Version, Commit, Go string }

// Limits for clients. A scrape takes milliseconds; only a profile takes longer, and its
// handler extends the limit.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 5 * time.Second
	writeTimeout  = 15 * time.Second
	idleTimeout   = time.Minute
	maxHeader     = 8 << 10
	maxConns      = 512 // more wait in the listener's backlog
)

// Start listens and begins to serve. An error concerns the address: it is in use, or
// not one of this machine.
func (s *Server) Start(ctx context.Context) error {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", s.Addr)
	if err != nil {
		return fmt.Errorf("admin server: %w", err)
	}
	s.listener = netutil.LimitListener(l, maxConns) // slow clients occupy connections and memory
	s.http = &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug), // errors of clients are not ours
	}
	s.serving.Go(func() {
		if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			s.Log.Error("the admin server has ended", "error", err, "do", "restart: probes and scrapes are not answered")
		}
	})
	s.Log.Info("admin server", "address", l.Addr().String())
	return nil
}

// Address returns the address of the server after Start has succeeded.
func (s *Server) Address() string { return s.listener.Addr().String() }

// Close answers current requests until ctx ends, and stops the server.
func (s *Server) Close(ctx context.Context) {
	if s.http == nil {
		return
	}
	if err := s.http.Shutdown(ctx); err != nil {
		_ = s.http.Close() // disconnect the remaining, slow clients
	}
	s.serving.Wait()
}

// Observe counts an export's duration. It may be called before Start.
func (s *Server) Observe(stream string, took time.Duration) {
	s.prepare()
	s.durations.WithLabelValues(stream).Observe(took.Seconds())
}

// prepare creates the metrics once: Observe may be called before Start.
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
