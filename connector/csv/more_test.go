package csv_test

import (
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/csv"
)

// deliveries is a source in which each Read returns one element.
type deliveries []string

func (p *deliveries) Read(b []byte) (int, error) {
	if len(*p) == 0 {
		return 0, io.EOF
	}
	n := copy(b, (*p)[0])
	*p = (*p)[1:]
	return n, nil
}

// TestReaderMore: More reports whether the next row can be read without waiting for the source.
func TestReaderMore(t *testing.T) {
	for _, test := range []struct {
		name   string
		pieces deliveries
		want   []bool // after the header and after each row
	}{
		{"all at once", deliveries{"a,b\n1,2\n3,4\n"}, []bool{true, true, false}},
		{"one at a time", deliveries{"a,b\n", "1,2\n", "3,4\n"}, []bool{false, false, false}},
		{"a part of the next", deliveries{"a,b\n1,2\n3,", "4\n5", ",6\n7,8\n9,0\n"}, []bool{true, false, false, true, true, false}},
		{"without the last newline", deliveries{"a,b\n1,2\n3,4"}, []bool{true, false, false}},
		{"a newline within quotes", deliveries{"a,b\n\"1\n", "\",2\n"}, []bool{true, false}},
		{"empty lines", deliveries{"a,b\n1,2\n\n"}, []bool{true, true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := csv.NewReader(&test.pieces, csv.Options{})
			if _, err := r.Header(); err != nil {
				t.Fatal(err)
			}
			got := []bool{r.More()}
			for {
				if _, err := r.Next(); err == io.EOF {
					break
				} else if err != nil {
					t.Fatal(err)
				}
				got = append(got, r.More())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("more (-want +got):\n%s", diff)
			}
		})
	}
}

// TestReaderMoreBehindMuch reads so much that the buffer's contents are moved many times.
func TestReaderMoreBehindMuch(t *testing.T) {
	var source deliveries
	line := string(make([]byte, 50_000)) + ",1\n"
	source = append(source, "a,b\n"+line[:20_000])
	for range 20 {
		source = append(source, line[20_000:]+line[:20_000])
	}
	source = append(source, line[20_000:])
	r := csv.NewReader(&source, csv.Options{})
	if _, err := r.Header(); err != nil {
		t.Fatal(err)
	}
	for n := range 21 {
		if r.More() {
			t.Errorf("More returns true after row %d", n)
		}
		if row, err := r.Next(); err != nil || string(row.Raw)+"\n" != line {
			t.Fatalf("row %d: %v", n+1, err)
		}
	}
}
