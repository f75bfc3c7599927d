package admin

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"dfinery-kafka/pipeline"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// collector turns a view into metrics, once for each scrape. Labels hold configured names and codes of bounded number alone.
type collector struct {
	look    func(now time.Time) View
	now     func() time.Time
	streams []string
	build   Build
	descs   [metricCount]*prometheus.Desc
}

func newCollector(s *Server) *collector {
	c := &collector{look: s.Look, now: s.now, streams: s.Streams, build: s.Build}
	for i, m := range metrics() {
		if i != duration { // a collector of its own
			c.descs[i] = prometheus.NewDesc(m.name, m.help, m.labels, nil)
		}
	}
	return c
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(descs chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		if d != nil {
			descs <- d
		}
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	kinds := metrics()
	put := func(which int, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(c.descs[which], kinds[which].kind, value, labels...)
	}
	now := c.now()
	v := c.look(now)
	put(buildInfo, 1, c.build.Version, c.build.Commit, c.build.Go)
	put(owner, one(v.Pipeline.Role == pipeline.RoleOwner))
	put(ready, one(v.status().Ready))
	c.totals(&v, put)
	produced(&v, put)
	for t, n := range v.Transitions {
		put(breakerTransitions, float64(n), t.From, t.To)
	}
	if v.sure() {
		source(&v, put)
		standing(&v, now, put)
	}
}

type putter func(which int, value float64, labels ...string)

// totals are the counters of each stream. Those that every stream has begin at 0, so that their first increase is seen.
func (c *collector) totals(v *View, put putter) {
	for _, name := range c.streams {
		t := v.Totals[name]
		put(rows, float64(t.Published), name, "published")
		put(rows, float64(t.Duplicates), name, "duplicate")
		put(rows, float64(t.BadRows), name, "dead_letter")
		put(exportBytes, float64(t.Bytes), name)
		put(columnChanges, float64(t.ColumnChanges), name)
		put(gaps, float64(t.Gaps), name)
		put(repeatedHeaders, float64(t.RepeatedHeaders), name)
		if _, any := t.Exports["ok"]; !any {
			put(exports, 0, name, "ok")
		}
		for code, n := range t.Exports {
			put(exports, float64(n), name, string(code))
		}
		for letter, n := range t.Letters {
			put(deadLetters, float64(n), name, letter.Kind, string(letter.Code))
		}
	}
}

func produced(v *View, put putter) {
	p := v.Produced
	put(produceBatches, float64(p.Batches))
	put(produceRecords, float64(p.Records))
	put(produceBytes, float64(p.Bytes))
	put(produceRetries, float64(p.Retries))
	put(produceInFlight, float64(p.InFlight))
	put(produceWaiting, float64(p.Waiting))
}

func source(v *View, put putter) {
	for _, state := range []string{"closed", "open", "half-open"} {
		put(breakerState, one(v.Source.Breaker.State == state), state)
	}
	put(quotaRemaining, float64(v.Source.Quota.Remaining))
	put(quotaLimit, float64(v.Source.Quota.Limit))
	put(tokenRefused, one(v.Source.Token.Refused))
}

// standing is how complete and how late each stream is.
func standing(v *View, now time.Time, put putter) {
	left := v.Pipeline.RemainingAt(now)
	for _, s := range v.Pipeline.Streams {
		count := map[ledger.DayState]int{ledger.Pending: s.Untried, ledger.Open: 0, ledger.Settled: 0, ledger.Gap: 0}
		for _, d := range s.Days {
			count[d.State]++
		}
		for state, n := range count {
			put(days, float64(n), s.Name, string(state))
		}
		cut := map[schema.Cut]int{schema.NoNewline: 0, schema.TooFewFields: 0, schema.UnclosedCell: 0}
		for _, d := range s.CutDays {
			cut[d.Cut]++
		}
		for kind, n := range cut {
			put(cutExports, float64(n), s.Name, string(kind))
		}
		put(halted, one(s.Halted != nil), s.Name)
		put(paused, one(s.Paused), s.Name)
		if s.LastSuccess != nil {
			put(lastSuccess, float64(s.LastSuccess.UnixMilli())/1000, s.Name)
		}
		if d, pending := left[s.Name]; pending {
			put(reachRemaining, d.Seconds(), s.Name)
		}
	}
}

func one(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
