package exporttest

import (
	"cmp"
	"compress/gzip"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"dfinery-kafka/schema"
)

// Framing is how a CSV is sent. The zero value is chunked, not compressed, and flushed by net/http.
type Framing struct {
	ContentLength bool // instead of chunks; the CSV is generated twice. Not for compressed bodies
	Gzip          bool // compresses for clients that accept it
	FlushEvery    int  // flush after so many bytes; 0 leaves it to net/http
}

// export answers with a CSV.
func (a *answer) export() {
	q := a.s.number(a.call.Query)
	a.update(func(c *Call) { c.Query, c.Status = q, http.StatusOK })
	sheet := a.s.sheet(q, &a.fault)
	framing := a.s.Framing
	compressed := framing.Gzip && strings.Contains(a.r.Header.Get("Accept-Encoding"), "gzip")

	b := &body{a: a, out: a.w, position: AtEnd, piece: framing.FlushEvery}
	if a.fault.Drip > 0 {
		b.piece, b.pause = a.fault.Drip, a.fault.DripEvery
	}
	a.contentType("text/csv; charset=utf-8")
	switch {
	case compressed:
		z, err := gzip.NewWriterLevel(a.w, gzip.BestSpeed)
		if err != nil {
			panic(err) // the level is valid
		}
		a.w.Header().Set("Content-Encoding", "gzip")
		b.out = z
	case framing.ContentLength:
		a.w.Header().Set("Content-Length", strconv.FormatInt(a.declared(sheet), 10))
	}
	a.w.WriteHeader(http.StatusOK)
	switch sheet.write(b) {
	case nil:
		b.close()
	case errGone:
		b.count(false)
	}
}

// declared is the Content-Length: of the complete CSV if it will be cut, else of what will be sent.
func (a *answer) declared(sheet *sheet) int64 {
	m := body{position: AtEnd}
	_ = sheet.write(&m) // without out it can't fail
	f := &a.fault
	switch f.Then {
	case Close, Reset, Stall:
		if m.position >= m.sent {
			return m.sent + 1 // so that the break comes before the promised end
		}
	case End:
		return min(m.position, m.sent)
	case Fail:
		return min(m.position, m.sent) + int64(len(a.failure(f.say())))
	}
	return m.sent
}

func (f *Fault) say() schema.Code { return cmp.Or(f.Say, schema.QueryError) }

// number sets the number of the query's export.
func (s *Server) number(q Query) Query {
	id := fmt.Sprintf("%s %d %d %q", q.Kind, q.From, q.To, q.Filter)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.exports == nil {
		s.exports = make(map[string]int)
	}
	s.exports[id]++
	q.Export = s.exports[id]
	return q
}
