package exporttest

import (
	"iter"
	"math/bits"
	"slices"
	"strings"
	"sync"

	"dfinery-kafka/schema"
)

// generator generates the rows of one kind of export. It is safe for concurrent use.
type generator struct {
	data      Data // with its zero values filled in
	kind      schema.Kind
	columns   []column
	templates []template // the first half plain, the second with odd values
}

// template holds the cells that many rows share: those that are not slots. A template is filled
// when the first row needs it, because a short export needs few of them.
type template struct {
	event string
	once  sync.Once
	cells []string // one for each column; empty for slots
}

// row is one row, small enough to be generated a million times a second.
type row struct {
	id       uint64 // hash from which the row's own cells are generated
	user     uint64
	template int
	at       int64 // arrival, Unix time in milliseconds
}

// Salts keep the decisions about one row independent of each other.
const (
	saltEvents  = 0x9ddfea08eb382d69
	saltUsers   = 0xc6a4a7935bd1e995
	saltTime    = 0x2127599bf4325c37
	saltUser    = 0x880355f21e6d1965
	saltLogID   = 0xe7037ed1a0b428db
	saltOdd     = 0x8ebc6af09c88c6e3
	saltCopy    = 0x589965cc75374cc3
	saltLate    = 0x1d8e4e27c47d124f
	saltGone    = 0xeb44accab455d165
	saltShuffle = 0xa0761d6478bd642f
	saltHot     = 0xd6e8feb86659fd93
)

const golden = 0x9e3779b97f4a7c15

// mix is the finalizer of splitmix64: a bijection whose output bits all depend on all input bits.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// below maps a hash evenly to 0 … n-1.
func below(hash, n uint64) uint64 {
	hi, _ := bits.Mul64(hash, n)
	return hi
}

func hits(share float64, id, salt uint64) bool {
	return share > 0 && float64(mix(id^salt)>>11)/(1<<53) < share
}

// newGenerator names the templates, which are the same on all days.
func newGenerator(data Data, kind schema.Kind) *generator {
	g := &generator{data: data.filled(), kind: kind}
	if kind == schema.Event {
		g.columns = eventColumns(g.data.Columns)
	} else {
		g.columns = profileColumns()
	}
	events := g.data.Events
	plain := len(events) * (1 + 255/len(events)) // the same number of templates for each event
	g.templates = make([]template, 2*plain)
	for t := range g.templates {
		g.templates[t].event = events[t%len(events)]
	}
	return g
}

// fixed returns the cells of a template.
func (g *generator) fixed(t int) []string {
	template := &g.templates[t]
	template.once.Do(func() { template.cells = g.fill(uint64(t), template.event, t >= len(g.templates)/2) })
	return template.cells
}

func (g *generator) fill(t uint64, event string, odd bool) []string {
	cells := make([]string, len(g.columns))
	seed := mix(g.data.Seed ^ t*golden)
	for i, c := range g.columns {
		h := mix(seed + uint64(i)*golden)
		switch {
		case c.slot != fixed:
		case c.values == nil:
			cells[i] = event
		case c.name != "df_api_version" && h&1 == 0: // about half of the cells
		case odd && h&6 == 0:
			cells[i] = oddValues[below(mix(h), uint64(len(oddValues)))]
		default:
			cells[i] = strings.Repeat(c.values[below(mix(h), uint64(len(c.values)))], max(1, g.data.Long))
		}
	}
	return cells
}

// each yields the rows of a query in the order of the export, until yield returns false. The
// row is valid until yield returns.
func (g *generator) each(q Query, yield func(*row) bool) {
	keep := g.included(q.Filter)
	if g.kind == schema.UserProfile {
		g.eachUser(q, keep, yield)
		return
	}
	last := q.To
	if !q.Now.IsZero() {
		last = min(last, schema.DayOf(q.Now, g.data.Location))
	}
	for day := q.From; day <= last; day++ {
		if !g.eachEvent(q, day, keep, yield) {
			return
		}
	}
}

// included reports for each template whether it passes the filter of events.
func (g *generator) included(f schema.Filter) []bool {
	keep := make([]bool, len(g.templates))
	for i := range g.templates {
		event := g.templates[i].event
		keep[i] = (f.Events == nil || slices.Contains(f.Events, event)) && !slices.Contains(f.ExcludeEvents, event)
	}
	return keep
}

func (g *generator) eachEvent(q Query, day schema.Day, keep []bool, yield func(*row) bool) bool {
	base := mix(g.data.Seed ^ mix(uint64(day)^saltEvents))
	from, until := day.Start(g.data.Location).UnixMilli(), day.End(g.data.Location).UnixMilli()
	now := q.Now.UnixMilli()
	lateHidden := q.Export < g.data.LateFrom ||
		g.data.LateAfter > 0 && !q.Now.IsZero() && q.Now.Before(day.End(g.data.Location).Add(g.data.LateAfter))
	goneHidden := q.Export >= g.data.GoneFrom
	var r row
	for i := range g.order(q, day, g.data.RowsOn(day)) {
		own := mix(base + i*golden) // decides when the row appears; a copy has the cells of another row, but its own times
		if lateHidden && hits(g.data.Late, own, saltLate) || goneHidden && hits(g.data.Gone, own, saltGone) {
			continue
		}
		r.id = own
		for n := i; n > 0 && hits(g.data.Duplicates, r.id, saltCopy); {
			n--
			r.id = mix(base + n*golden)
		}
		r.template = g.pick(r.id, r.id)
		if !keep[r.template] {
			continue
		}
		r.at = from + int64(below(mix(r.id^saltTime), uint64(until-from)))
		if g.data.Live && !q.Now.IsZero() && r.at > now {
			continue
		}
		r.user = below(mix(r.id^saltUser), uint64(g.data.Users))
		if hits(g.data.Hot, r.id, saltHot) {
			r.user = 0
		}
		if !yield(&r) {
			return false
		}
	}
	return true
}

// eachUser yields a snapshot: a user's profile changes once in seven days, and an audience has
// about half of the users.
func (g *generator) eachUser(q Query, keep []bool, yield func(*row) bool) {
	base := mix(g.data.Seed ^ saltUsers)
	audience := base
	for _, c := range []byte(q.Filter.Audience) {
		audience = mix(audience ^ uint64(c))
	}
	for u := range g.order(q, q.From, g.data.Users) {
		r := row{id: mix(base + u*golden), user: u}
		if q.Filter.Audience != "" && mix(r.id^audience)&1 == 0 {
			continue
		}
		week := (uint64(q.From) + u%7) / 7
		r.template = g.pick(r.id, mix(r.id+week))
		if keep[r.template] && !yield(&r) {
			return
		}
	}
}

// pick chooses a template by a hash. Whether it is an odd one depends only on the row.
func (g *generator) pick(id, hash uint64) int {
	half := len(g.templates) / 2
	t := int(below(hash, uint64(half)))
	if hits(g.data.Odd, id, saltOdd) {
		t += half
	}
	return t
}

// order is a permutation of 0 … n-1 that needs no memory: steps of a width that is coprime to n.
func (g *generator) order(q Query, day schema.Day, n int) iter.Seq[uint64] {
	count, at, step := uint64(max(n, 0)), uint64(0), uint64(1)
	if g.data.Shuffle && count > 1 {
		h := mix(g.data.Seed ^ mix(uint64(day)^mix(uint64(q.Export)^saltShuffle)))
		at, step = below(mix(h), count), 1+below(h, count-1)
		for gcd(step, count) != 1 {
			step = step%(count-1) + 1
		}
	}
	return func(yield func(uint64) bool) {
		for range count {
			if !yield(at) {
				return
			}
			if at += step; at >= count {
				at -= count
			}
		}
	}
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
