package admin

import (
	"maps"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"dfinery-kafka/connector/limiter"
	"dfinery-kafka/pipeline"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// collector converts a view to metrics, once for each scrape. Labels only have
// configured names and codes, so their number is bounded.
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
		if i != duration { // it has its own collector
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
	for _, p := range v.Parts() {
		put(partReady, one(p.Ready), p.Name)
	}
	for t, n := range withZeros(v.Transitions, transitions()) {
		put(breakerTransitions, float64(n), t.From, t.To)
	}
	if v.authoritative() {
		source(&v, put)
		collectStreams(&v, now, put)
	}
}

type putter func(which int, value float64, labels ...string)

// transitions are the possible changes of the breaker's state.
func transitions() []limiter.Transition {
	return []limiter.Transition{{From: "closed", To: "open"}, {From: "half-open", To: "closed"}, {From: "half-open", To: "open"}, {From: "open", To: "half-open"}}
}

// expected are the codes whose series exist from the start: all that this program or
// the API defines, and those of proxies. increase() does not see the first failure of a
// series that begins with it.
func expected() (exports, rows []schema.Code) {
	for _, r := range schema.Rules() {
		if r.Scope == schema.OfRow {
			rows = append(rows, r.Code)
		} else {
			exports = append(exports, r.Code)
		}
	}
	return append(exports, "http_403", "http_404", "http_500", "http_502", "http_503", "http_504"), rows
}

// totals returns the counters of each stream. They begin at 0, so that increase() sees
// the first increase.
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
		put(badValues, float64(t.Letters[pipeline.LetterKind{Kind: schema.KindRow, Code: schema.BadValue}]), name, "dead-letter")
		put(badValues, float64(t.NulledValues), name, "null")
		ofExports, ofRows := expected()
		for code, n := range withZeros(t.Exports, append(ofExports, "ok")) {
			put(exports, float64(n), name, string(code))
		}
		var letters []pipeline.LetterKind
		for _, code := range ofExports {
			letters = append(letters, pipeline.LetterKind{Kind: schema.KindExport, Code: code})
		}
		for _, code := range ofRows {
			letters = append(letters, pipeline.LetterKind{Kind: schema.KindRow, Code: code})
		}
		for letter, n := range withZeros(t.Letters, letters) {
			put(deadLetters, float64(n), name, letter.Kind, string(letter.Code))
		}
	}
}

// withZeros returns the counts, with 0 for each expected key that has none.
func withZeros[K comparable, N int | int64](counts map[K]N, expected []K) map[K]N {
	all := make(map[K]N, len(counts)+len(expected))
	for _, key := range expected {
		all[key] = 0
	}
	maps.Copy(all, counts)
	return all
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

// collectStreams returns the gauges of each stream's completeness and lateness.
func collectStreams(v *View, now time.Time, put putter) {
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
		failing, narrowed := countIncomplete(s.Days)
		put(days, float64(failing), s.Name, "failing")
		put(days, float64(narrowed), s.Name, "narrowed")
		if s.IncompleteSince != nil {
			put(incompleteAge, max(0, now.Sub(*s.IncompleteSince).Seconds()), s.Name)
		} else if !s.Snapshot {
			put(incompleteAge, 0, s.Name)
		}
		put(halted, one(s.Halted != nil), s.Name)
		if s.Columns > 0 {
			put(columnCount, float64(s.Columns), s.Name)
		}
		put(paused, one(s.Paused), s.Name)
		put(registryWaits, one(s.WaitsForRegistry), s.Name)
		collectProfiles(v, &s, put)
		if s.LastSuccess != nil {
			put(lastSuccess, float64(s.LastSuccess.UnixMilli())/1000, s.Name)
		}
		if d, pending := left[s.Name]; pending {
			put(reachRemaining, d.Seconds(), s.Name)
		}
	}
}

// collectProfiles returns the gauges of the last snapshot of a stream of changes.
func collectProfiles(v *View, s *pipeline.StreamStatus, put putter) {
	p := s.Profiles
	if p == nil {
		return
	}
	put(rows, float64(v.Totals[s.Name].Deleted), s.Name, "deleted")
	put(profileCount, float64(p.Present), s.Name, "present")
	put(profileCount, float64(p.Absent), s.Name, "absent")
	put(profileCount, float64(p.Withheld), s.Name, "withheld")
	put(profilesScanned, float64(p.Scanned), s.Name)
	complete := 0.0
	if p.LastComplete != nil {
		complete = float64(p.LastComplete.UnixMilli()) / 1000
	}
	put(profilesLastComplete, complete, s.Name)
	put(profilesPollInterval, p.Poll.Seconds(), s.Name)
	put(profilesUnusedPartitions, float64(p.Unused), s.Name)
}

// countIncomplete counts days that still need a successful export.
func countIncomplete(list []pipeline.DayStatus) (failing, narrowed int) {
	for _, d := range list {
		if d.Error != nil && (d.State == ledger.Pending || d.State == ledger.Open) {
			failing++
		}
		if d.Narrowed && d.State != ledger.Gap {
			narrowed++
		}
	}
	return failing, narrowed
}

func one(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
