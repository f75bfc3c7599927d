package schema

import "fmt"

// Span is the position of a cell in its row's data: data[Start:End].
type Span struct{ Start, End uint32 }

// Row is one row of a CSV. It borrows the reader's memory and is valid only until the next row.
type Row struct {
	Columns *Columns
	Cells   []Span // one for each column
	Data    []byte // the data of Cells, without quoting: the bytes of Raw, followed by unescaped copies of cells with doubled quotes
	Raw     []byte // the row as it arrived, without its line end
	Line    int    // of the row's first byte; the header is line 1
	Offset  int64  // of the row's first byte in the body
	// Plain means that no cell has a byte that JSON must escape. False means nothing.
	Plain bool
	// Withheld is the length of the row as it arrived, if Raw is withheld because it would show
	// hidden cells.
	Withheld int
}

// Size is the length of the row as it arrived, without its line end.
func (r *Row) Size() int { return len(r.Raw) + r.Withheld }

// Cell is the value of column i; empty if the CSV has none.
func (r *Row) Cell(i int) []byte {
	s := r.Cells[i]
	return r.Data[s.Start:s.End]
}

// CopyInto makes dst a copy of the row that borrows nothing. It reuses dst's memory.
func (r *Row) CopyInto(dst *Row) {
	cells, data := append(dst.Cells[:0], r.Cells...), append(dst.Data[:0], r.Data...)
	*dst = *r
	dst.Cells, dst.Data, dst.Raw = cells, data, data[:len(r.Raw)]
}

// BadRow is the error for a row that can't be published. The reader continues after it.
type BadRow struct {
	Code    Code
	Origin  Origin
	Message string // general description: one of a fixed set of texts
	Detail  string // what is wrong with this row, with its line number
	Line    int
	Offset  int64
	Raw     []byte // a copy, at most MaxCopy bytes
	// Redacted means that Raw is not the row as it arrived: hidden cells are removed.
	Redacted bool
	RawBytes int64 // length of the complete row
	Hash     Fingerprint
	Columns  *Columns
	// Copy is the number among identical rows, if Kafka refused the row. Other bad
	// rows are identical in what is wrong with them, and are numbered by their Hash.
	Copy int
	// Fingerprint is that of the row; nil if it could not be parsed.
	Fingerprint *Fingerprint
}

func (b *BadRow) Error() string { return fmt.Sprintf("%s: %s", b.Code, b.Detail) }

// Bad describes r as a row that can't be published.
func (r *Row) Bad(code Code, origin Origin, message, detail string) *BadRow {
	return &BadRow{
		Code: code, Origin: origin, Message: message, Detail: fmt.Sprintf("line %d: %s", r.Line, detail),
		Line: r.Line, Offset: r.Offset, Raw: Copy(r.Raw), RawBytes: int64(r.Size()), Hash: BadFingerprint(r.Raw), Columns: r.Columns,
	}
}

// MaxCopy limits the copies of bodies and raw rows in a dead letter.
const MaxCopy = 16 << 10

// Copy returns a copy of at most MaxCopy bytes of b.
func Copy(b []byte) []byte { return append([]byte(nil), b[:min(len(b), MaxCopy)]...) }
