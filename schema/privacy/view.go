package privacy

import "dfinery-kafka/schema"

// Masked takes the place of a masked cell.
const Masked = "***"

// View makes public rows of the rows below one header. It is not for use by
// several goroutines.
type View struct {
	// KeepRaw keeps the rows as they arrived beside their public cells.
	KeepRaw bool

	columns *schema.Columns
	runs    []run // of the public columns, in the order of the header
	most    int   // bytes that hashes and masks take in a row
}

// mostSpare bounds the memory that is left for longer rows than the present one.
const mostSpare = 16 << 10

// run is columns of the rows as they arrive: one that is hidden, or some beside each
// other that are not.
type run struct {
	from, to int
	kind     kind
	hash     *columnHash
}

// View maps the header's columns. The header's names are those that arrived.
func (p *Policy) View(header *schema.Columns) (*View, error) {
	v := new(View)
	var names []string
	for i, name := range header.Names {
		a := p.actions[name]
		if a.kind == drop {
			continue
		}
		if last := len(v.runs) - 1; a.kind == keep && last >= 0 && v.runs[last].kind == keep && v.runs[last].to == i {
			v.runs[last].to = i + 1
		} else {
			v.runs = append(v.runs, run{from: i, to: i + 1, kind: a.kind})
		}
		if a.kind == hash {
			v.runs[len(v.runs)-1].hash = newColumnHash(a.key)
		}
		if a.kind != keep {
			v.most += hashLength
		}
		names = append(names, name)
	}
	var err error
	v.columns, err = schema.NewColumns(names)
	return v, err
}

// Columns are the public ones.
func (v *View) Columns() *schema.Columns { return v.columns }

// Public makes dst the public row of src, borrowing nothing: memory that dst has is
// used again. Nothing in dst shows a hidden cell. Its Raw is nil unless KeepRaw is
// set, and Withheld says how long the row was.
func (v *View) Public(dst, src *schema.Row) {
	need := len(src.Data) + v.most + schema.CopyWidth
	data := dst.Data[:cap(dst.Data)]
	if len(data) < need {
		data = make([]byte, need+min(need, mostSpare))
	}
	inOrder := len(src.Data) == len(src.Raw) // no cell was copied behind the row to undo its quotes
	cells, n := dst.Cells[:0], 0
	for i := range v.runs {
		r := &v.runs[i]
		if r.kind == keep {
			if inOrder {
				cells, n = appendTogether(cells, data, n, src.Cells[r.from:r.to], src.Data)
			} else {
				cells, n = appendEach(cells, data, n, src.Cells[r.from:r.to], src.Data)
			}
			continue
		}
		from, start := src.Cells[r.from], n
		switch {
		case from.Start == from.End: // an empty cell shows that it is empty
		case r.kind == mask:
			n += copy(data[n:], Masked)
		default:
			n = r.hash.put(data, n, src.Data[from.Start:from.End])
		}
		cells = append(cells, schema.Span{Start: uint32(start), End: uint32(n)})
	}
	// A copy is CopyWidth bytes wide: what it wrote behind the last cell may be of a hidden one.
	clear(data[n:min(n+schema.CopyWidth, len(data))])
	raw := dst.Raw[:0]
	*dst = schema.Row{Columns: v.columns, Cells: cells, Data: data[:n], Line: src.Line, Offset: src.Offset, Plain: src.Plain, Withheld: src.Size()}
	if v.KeepRaw {
		dst.Raw, dst.Withheld = append(raw, src.Raw...), 0
	}
}

// appendTogether copies cells beside each other with what separates them.
func appendTogether(cells []schema.Span, dst []byte, n int, from []schema.Span, data []byte) ([]schema.Span, int) {
	first := from[0].Start
	shift := uint32(n) - first // modulo 2^32
	n += copy(dst[n:], data[first:from[len(from)-1].End])
	for _, s := range from {
		cells = append(cells, schema.Span{Start: s.Start + shift, End: s.End + shift})
	}
	return cells, n
}

// appendEach copies one cell after the other.
func appendEach(cells []schema.Span, dst []byte, n int, from []schema.Span, data []byte) ([]schema.Span, int) {
	for _, s := range from {
		start := n
		n = s.Put(dst, n, data)
		cells = append(cells, schema.Span{Start: uint32(start), End: uint32(n)})
	}
	return cells, n
}
