package csv_test

import (
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/csv"
	"dfinery-kafka/schema"
)

// TestReaderCutTooLarge: a row that is too large is not reported if the source fails before
// its end.
func TestReaderCutTooLarge(t *testing.T) {
	cut := errors.New("cut")
	for size := range 10 {
		src := io.MultiReader(strings.NewReader("a,b\n1,"+strings.Repeat("x", 6+size)), iotest.ErrReader(cut))
		if _, rows, err := read(csv.NewReader(src, csv.Options{MaxRow: 10})); rows != nil || err != cut {
			t.Errorf("%d rows, then %v", len(rows), err)
		}
	}
}

func TestReaderWithoutProgress(t *testing.T) {
	r := csv.NewReader(noProgress{}, csv.Options{})
	if _, err := r.Header(); err == nil || err == io.EOF {
		t.Errorf("a source whose reads return nothing ends with %v", err)
	}
}

type noProgress struct{}

// TestReaderMemory: a row a thousand times larger than the limit needs no memory for its size,
// and is reported with the hash of all its bytes.
func TestReaderMemory(t *testing.T) {
	const maxRow, size = 256 << 10, 256 << 20
	for _, start := range []string{"1,", "1,\""} {
		src := io.MultiReader(strings.NewReader("a,b\n"+start), io.LimitReader(endlessLetters{}, size), strings.NewReader("\n3,4\n"))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, rows, err := read(csv.NewReader(src, csv.Options{MaxRow: maxRow, RecoverQuotes: true}))
		runtime.ReadMemStats(&after)
		if err != io.EOF || len(rows) != 2 {
			t.Fatalf("%d rows, then %v", len(rows), err)
		}
		if bad := rows[0].Bad; bad == nil || bad.Code != schema.TooLarge || bad.RawBytes != size+int64(len(start)) || len(bad.Raw) != schema.MaxCopy {
			t.Errorf("the large row: %+v", bad)
		}
		if diff := cmp.Diff([]string{"3", "4"}, rows[1].Cells); diff != "" {
			t.Error(diff)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 4*maxRow {
			t.Errorf("%d bytes allocated for rows of at most %d", used, maxRow)
		}
	}
}

// TestReaderMemory_OpenQuote: after a quote that is not closed no more memory is used than for the
// largest row.
func TestReaderMemory_OpenQuote(t *testing.T) {
	const maxRow = 256 << 10
	src := io.MultiReader(strings.NewReader("a,b\n1,2\n3,\""), io.LimitReader(endlessLetters{}, 256<<20))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := csv.NewReader(src, csv.Options{MaxRow: maxRow})
	_, rows, err := read(r)
	runtime.ReadMemStats(&after)
	var open *csv.OpenQuoteError
	if !errors.As(err, &open) || open.Line != 3 || open.Offset != 8 || len(rows) != 1 {
		t.Errorf("%d rows, then %v", len(rows), err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 4*maxRow {
		t.Errorf("%d bytes allocated for rows of at most %d", used, maxRow)
	}
	if _, again := r.Next(); again != err {
		t.Errorf("then %v", again)
	}
}

type endlessLetters struct{}

func TestReaderAllocates(t *testing.T) {
	r := csv.NewReader(strings.NewReader(string(manyRows(2000, true))), csv.Options{})
	if _, err := r.Header(); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(1000, func() {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a row", n)
	}
}
