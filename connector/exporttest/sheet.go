package exporttest

import (
	"math"
	"slices"
	"strings"

	"dfinery-kafka/schema"
)

// sheet is the CSV of one call, including faulty lines.
type sheet struct {
	g       *generator
	q       Query
	plan    *plan
	columns []string
	format  Format
	fault   *Fault
}

// sheet prepares a call's CSV. Generators and plans are cached.
func (s *Server) sheet(q Query, f *Fault) *sheet {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.generator(q.Kind)
	columns := slices.DeleteFunc(g.columnsOf(q), func(name string) bool { return slices.Contains(f.Without, name) })
	id := string(q.Kind) + "\x00" + strings.Join(columns, "\x00")
	if s.plans[id] == nil {
		s.plans[id] = g.plan(columns, s.Format)
	}
	return &sheet{g: g, q: q, plan: s.plans[id], columns: columns, format: s.Format, fault: f}
}

// generator is made once for each kind. The caller holds mu.
func (s *Server) generator(kind schema.Kind) *generator {
	if s.generators == nil {
		s.generators, s.plans = make(map[schema.Kind]*generator), make(map[string]*plan)
	}
	if s.generators[kind] == nil {
		s.generators[kind] = newGenerator(s.Data, kind)
	}
	return s.generators[kind]
}

// write writes all lines, and cuts the body where the fault says. It returns nil if the body is
// to be completed.
func (t *sheet) write(b *body) error {
	names := slices.Clone(t.columns)
	for i, name := range names {
		if other, ok := t.fault.Rename[name]; ok {
			names[i] = other
		}
	}
	if t.fault.AfterRow == 0 {
		t.mark(b)
	}
	b.buf = append(b.buf, renderHeader(names, t.format)...)
	if err := t.writeRows(b); err != nil {
		return err
	}
	if t.fault.NoFinal {
		b.buf = trimLineEnd(b.buf)
	}
	return b.end(t.fault.Then)
}

func (t *sheet) writeRows(b *body) (err error) {
	bad := slices.Clone(t.fault.BadRows)
	slices.SortStableFunc(bad, func(x, y BadRow) int { return x.After - y.After })
	putBad := func(rows int) error {
		for ; len(bad) > 0 && bad[0].After <= rows; bad = bad[1:] {
			if err := b.room(); err != nil {
				return err
			}
			b.buf = append(b.buf, bad[0].Line(t.columns)...)
			b.buf = append(b.buf, t.format.lineEnd()...)
		}
		return nil
	}
	var clock clockText
	t.g.each(t.q, func(r *row) bool {
		if err = putBad(b.rows); err != nil {
			return false
		}
		if err = b.room(); err != nil {
			return false
		}
		b.buf = t.plan.append(b.buf, r, &clock)
		if b.rows++; b.rows == t.fault.AfterRow {
			t.mark(b)
		}
		return true
	})
	if err != nil {
		return err
	}
	return putBad(math.MaxInt)
}

// mark sets the position of the break, relative to the current one.
func (t *sheet) mark(b *body) {
	if t.fault.Then != Never {
		here := b.sent + int64(len(b.buf))
		b.position = here + min(t.fault.At, AtEnd-here)
	}
}
