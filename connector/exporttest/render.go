package exporttest

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
	"sync"

	"dfinery-kafka/schema"
)

// Format is how the CSV is written. The zero value quotes only where necessary and ends lines
// with LF.
type Format struct {
	BOM      bool // starts with a byte order mark
	CRLF     bool // ends lines with CR LF
	QuoteAll bool // quotes every cell that is not empty, and the header
}

func (f Format) lineEnd() string {
	if f.CRLF {
		return "\r\n"
	}
	return "\n"
}

// plan is what rows share for one list of columns. It is safe for concurrent use.
type plan struct {
	g       *generator
	at      []int // the names' indexes in the data's columns
	format  Format
	slots   []slot
	layouts []layout // by template
}

// layout is a template's line, split at the slots: piece n comes before slot n, the last piece
// after all slots. It is rendered with the template's first row.
type layout struct {
	once sync.Once
	text []byte
	cuts []int // ends of the pieces
}

// columnsOf returns the names of the columns that a query exports.
func (g *generator) columnsOf(q Query) []string {
	names := make([]string, len(g.columns))
	for i, c := range g.columns {
		names[i] = c.name
	}
	if g.data.Header != nil {
		names = g.data.Header(max(q.From, q.To), q.Export, names)
	}
	f := q.Filter
	return slices.DeleteFunc(names, func(name string) bool {
		wanted := (f.Properties == nil || slices.Contains(f.Properties, name)) && !slices.Contains(f.ExcludeProperties, name)
		return !wanted && !alwaysPresent(g.kind, name) || q.HideIdentities && name == "df_external_id"
	})
}

// indexes returns the indexes of the names in the data's columns, -1 for an unknown name.
func (g *generator) indexes(names []string) []int {
	at := make([]int, len(names))
	for i, name := range names {
		at[i] = slices.IndexFunc(g.columns, func(c column) bool { return c.name == name })
	}
	return at
}

func (g *generator) plan(names []string, f Format) *plan {
	p := &plan{g: g, at: g.indexes(names), format: f, layouts: make([]layout, len(g.templates))}
	for _, i := range p.at {
		if i >= 0 && g.columns[i].slot != fixed {
			p.slots = append(p.slots, g.columns[i].slot)
		}
	}
	return p
}

func renderHeader(names []string, f Format) []byte {
	var line []byte
	if f.BOM {
		line = append(line, "\ufeff"...)
	}
	for i, name := range names {
		if i > 0 {
			line = append(line, ',')
		}
		line = appendCell(line, name, f.QuoteAll)
	}
	return append(line, f.lineEnd()...)
}

// layout returns the layout of a template.
func (p *plan) layout(t int) *layout {
	l := &p.layouts[t]
	l.once.Do(func() { p.render(l, p.g.fixed(t)) })
	return l
}

func (p *plan) render(l *layout, cells []string) {
	for n, i := range p.at {
		if n > 0 {
			l.text = append(l.text, ',')
		}
		switch {
		case i < 0:
		case p.g.columns[i].slot == fixed:
			l.text = appendCell(l.text, cells[i], p.format.QuoteAll)
		case p.format.QuoteAll:
			l.text = append(l.text, '"')
			l.cuts = append(l.cuts, len(l.text))
			l.text = append(l.text, '"')
		default:
			l.cuts = append(l.cuts, len(l.text))
		}
	}
	l.text = append(l.text, p.format.lineEnd()...)
	l.cuts = append(l.cuts, len(l.text))
}

// append appends the row's line with its line end.
func (p *plan) append(dst []byte, r *row, c *clockText) []byte {
	l := p.layout(r.template)
	from := 0
	for n, s := range p.slots {
		dst = append(dst, l.text[from:l.cuts[n]]...)
		from = l.cuts[n]
		dst = r.appendSlot(dst, s, c)
	}
	return append(dst, l.text[from:]...)
}

// appendCell quotes as defined by RFC 4180, and also cells with spaces at the ends, because
// some readers trim.
func appendCell(dst []byte, cell string, quote bool) []byte {
	if cell == "" || !quote && !strings.ContainsAny(cell, ",\"\r\n") && strings.TrimSpace(cell) == cell {
		return append(dst, cell...)
	}
	dst = append(dst, '"')
	dst = append(dst, strings.ReplaceAll(cell, `"`, `""`)...)
	return append(dst, '"')
}

func (r *row) appendSlot(dst []byte, s slot, c *clockText) []byte {
	switch s {
	case unifiedID:
		return appendPadded(append(dst, 'u'), r.user+1, 9)
	case externalID:
		return appendPadded(append(dst, "cust-"...), r.user+1, 9)
	case eventLogID:
		return appendUUID(dst, r.id, mix(r.id^saltLogID))
	case serverTime:
		return c.append(dst, r.at)
	case correctionTime:
		return c.append(dst, r.at-int64(r.id&0xfff))
	}
	return dst
}

// appendUUID writes 124 of the 128 bits, and version 4.
func appendUUID(dst []byte, hi, lo uint64) []byte {
	var id [16]byte
	binary.BigEndian.PutUint64(id[:8], hi)
	binary.BigEndian.PutUint64(id[8:], lo)
	var text [36]byte
	hex.Encode(text[:8], id[:4])
	hex.Encode(text[9:13], id[4:6])
	hex.Encode(text[14:18], id[6:8])
	hex.Encode(text[19:23], id[8:10])
	hex.Encode(text[24:], id[10:])
	text[8], text[13], text[14], text[18], text[23] = '-', '-', '4', '-', '-'
	return append(dst, text[:]...)
}

// clockText formats times as yyyy-MM-ddTHH:mm:ss.SSSZ. It caches the last even and the last odd
// date.
type clockText struct {
	days  [2]int64
	dates [2][]byte
}

func (c *clockText) append(dst []byte, unixMilli int64) []byte {
	const dayMillis = 86_400_000
	day := unixMilli / dayMillis
	n := day & 1
	if c.dates[n] == nil || c.days[n] != day {
		c.days[n], c.dates[n] = day, append([]byte(schema.Day(day).String()), 'T')
	}
	ms := uint32(unixMilli % dayMillis)
	var t [13]byte
	copy(t[:], "00:00:00.000Z")
	h, m, s, f := ms/3_600_000, ms/60_000%60, ms/1000%60, ms%1000
	t[0] += byte(h / 10)
	t[1] += byte(h % 10)
	t[3] += byte(m / 10)
	t[4] += byte(m % 10)
	t[6] += byte(s / 10)
	t[7] += byte(s % 10)
	t[9] += byte(f / 100)
	t[10] += byte(f / 10 % 10)
	t[11] += byte(f % 10)
	dst = append(dst, c.dates[n]...)
	return append(dst, t[:]...)
}

// trimLineEnd removes the line end of a rendered row.
func trimLineEnd(b []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r"))
}
