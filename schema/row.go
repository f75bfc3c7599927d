package schema

import "fmt"

// Span is the position of a cell in its row's data: data[Start:End].
type Span struct{ Start, End uint32 }

// Row is one row of a CSV. It borrows the reader's memory: nothing of it may be kept past the next row.
type Row struct {
	Columns *Columns
	Cells   []Span // one for each column
	Data    []byte // what Cells point into, quotes undone: the bytes of Raw, and behind them those of cells that had doubled quotes
	Raw     []byte // the row as it arrived, without its line end
	Line    int    // of the row's first byte; the header is line 1
	Offset  int64  // of the row's first byte in the body
	// Plain promises that no cell has a byte that JSON must escape. False promises nothing.
	Plain bool
	// Withheld is the length of the row as it arrived where Raw is not to be had: it would show cells that are hidden.
	Withheld int
}

// Size is the length of the row as it arrived, without its line end.
func (r *Row) Size() int { return len(r.Raw) + r.Withheld }

// Cell is the value of column i, empty when the CSV has none.
func (r *Row) Cell(i int) []byte {
	s := r.Cells[i]
	return r.Data[s.Start:s.End]
}

// CopyInto makes dst the same row, borrowing nothing: memory that dst has is used again.
func (r *Row) CopyInto(dst *Row) {
	cells, data := append(dst.Cells[:0], r.Cells...), append(dst.Data[:0], r.Data...)
	*dst = *r
	dst.Cells, dst.Data, dst.Raw = cells, data, data[:len(r.Raw)]
}

// BadRow is the error for a row that can't be published. The reader goes on after it.
type BadRow struct {
	Code    Code
	Origin  Origin
	Message string // what is wrong, in general: bounded in its wordings
	Detail  string // what is wrong with this row, with its line
	Line    int
	Offset  int64
	Raw     []byte // a copy, at most MaxCopy bytes
	// Redacted says that Raw is not the row as it arrived: hidden cells are not in it.
	Redacted bool
	RawBytes int64 // length of the whole row
	Hash     Fingerprint
	Columns  *Columns
	// Copy is which of identical rows it is, if Kafka refused it. The others share
	// what is wrong with them, and are numbered by their Hash.
	Copy int
	// Fingerprint is that of the row; nil if it could not be read.
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

// MaxCopy bounds the copies of bodies and raw rows that a dead letter carries.
const MaxCopy = 16 << 10

// Copy is a copy of at most MaxCopy bytes of b.
func Copy(b []byte) []byte { return append([]byte(nil), b[:min(len(b), MaxCopy)]...) }
