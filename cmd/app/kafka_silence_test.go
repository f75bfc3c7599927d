package app_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"dfinery-kafka/cmd/app"
	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/pipeline/cluster"
)

// through returns the simulation's connector, which reaches Kafka through a gate.
func (w *simulation) through(g *gate, once bool) *app.App {
	w.t.Helper()
	a, err := app.New(w.config, app.Options{
		Version: "test", Once: once, Log: slog.New(slog.NewTextHandler(w, nil)), Transport: w.http, Kafka: func(k *cluster.Config) { k.Dial, k.MetadataTTL, k.IdleTimeout = g.Dial, w.layout, w.layout },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

// start runs the connector in a goroutine. The returned function stops it in order and waits
// for its end.
func (w *simulation) start(a *app.App) (stop func()) {
	ctx, cancel := context.WithCancel(w.t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := a.Run(ctx); err != nil {
			w.t.Error(err)
		}
	})
	return func() {
		cancel()
		running.Wait()
	}
}

// TestKafka_NeverAnswers: brokers that accept connections and requests but never answer are
// reported within 10 s, once for each request.
func TestKafka_NeverAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const line = "Kafka has not answered a request yet"
		w := newSimulation(t, &exporttest.Server{Data: exporttest.Data{Seed: 4, RowsPerDay: 10}})
		w.config.Streams[0].Start.Back = 1
		w.config.Publish.OwnerHeartbeat = time.Second
		g := &gate{dial: w.net.Dial, after: -1}
		a := w.through(g, false)
		a.Service.CommandPoll = time.Hour // only the heartbeat makes requests
		defer w.start(a)()
		time.Sleep(time.Minute + time.Second/2) // between two heartbeats
		if text := w.logged(); strings.Contains(text, line) {
			t.Errorf("the log reports that a healthy Kafka does not answer:\n%s", text)
		}
		g.shut(0, true)
		time.Sleep(10 * time.Second)
		if text := w.logged(); strings.Count(text, line) != 1 || !strings.Contains(text, "request=Metadata for=8s do=") {
			t.Errorf("want one report after Kafka has not answered for 10 s:\n%s", text)
		}
		time.Sleep(10 * time.Second)
		if text := w.logged(); strings.Count(text, line) != 2 || !strings.Contains(text, `request="Produce to topic ledger partition 0" for=8s do=`) {
			t.Errorf("want a second report for a second request:\n%s", text)
		}
		g.open()
	})
}

// TestOnceWithoutKafka: "run --once" ends 20 s after Kafka was interrupted, at any time, by refused
// connections or without answers.
func TestOnceWithoutKafka(t *testing.T) {
	t.Parallel()
	for name, silent := range map[string]bool{"refuses": false, "does not answer": true} {
		for _, after := range []int{0, 1, 5, 20, 40, 60, 80} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := newSimulation(t, &exporttest.Server{Data: exporttest.Data{Seed: 4, RowsPerDay: 2000}})
					w.config.Streams[0].Start.Back = 5
					g := &gate{dial: w.net.Dial, after: -1}
					a := w.through(g, true)
					g.shut(after, silent)
					began := time.Now()
					err := a.Run(t.Context())
					took := time.Since(began)
					if err == nil || took < 19*time.Second || took > 22*time.Second {
						t.Errorf("Kafka was interrupted after %d requests; ended after %s: %v\n%s", after, took, err, w.logged())
					}
				})
			})
		}
	}
}

// TestKafka_LedgerUnreadable: brokers answer, but the ledger can't be read or the takeover
// fails. That is logged repeatedly, and "run --once" ends.
func TestKafka_LedgerUnreadable(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault kfake.Fault
		says  string
	}{
		"no leader to read from": {kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.NotLeaderForPartition, Count: -1}, "Not Leader For Partition"},
		"no coordinator":         {kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Err: kerr.CoordinatorNotAvailable, Count: -1}, "Group Coordinator Not Available"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newSimulation(t, &exporttest.Server{Data: exporttest.Data{Seed: 4, RowsPerDay: 10}})
				w.config.Streams[0].Start.Back = 1
				w.run(time.Minute)
				fault := w.kafka.Fault(test.fault)
				defer fault.Remove()
				open := &gate{dial: w.net.Dial, after: -1}
				began := time.Now()
				err := w.through(open, true).Run(t.Context())
				if took := time.Since(began); err == nil || !strings.Contains(err.Error(), test.says) || took > 25*time.Second {
					t.Errorf("run --once ended after %s with %v", took, err)
				}
				before := len(w.logged())
				ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
				defer stop()
				if err := w.through(open, false).Run(ctx); err != nil {
					t.Error(err)
				}
				if text := w.logged()[before:]; !strings.Contains(text, "level=WARN") || !strings.Contains(text, test.says) {
					t.Errorf("the log does not say %q:\n%s", test.says, text)
				}
			})
		})
	}
}
