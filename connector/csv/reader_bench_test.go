package csv_test

import (
	"bytes"
	stdcsv "encoding/csv"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"dfinery-kafka/connector/csv"
)

// manyRows returns a body of 40 columns. Rows have 378 bytes on average, and every third cell is
// empty.
func manyRows(rows int, quote bool) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	names := make([]string, 40)
	for i := range names {
		names[i] = "column_" + string(rune('a'+i/26)) + string(rune('a'+i%26))
	}
	body := bytes.NewBufferString(strings.Join(names, ",") + "\n")
	const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789-_:."
	for range rows {
		for i := range names {
			if i > 0 {
				body.WriteByte(',')
			}
			if i%3 == 2 {
				continue
			}
			if quote && i%5 == 0 {
				body.WriteString(`"a ""quoted"", one"`)
				continue
			}
			for range 6 + random.IntN(14) {
				body.WriteByte(alphabet[random.IntN(len(alphabet))])
			}
		}
		body.WriteByte('\n')
	}
	return body.Bytes()
}

func BenchmarkReader(b *testing.B) {
	const rows = 5000
	for _, c := range []struct {
		name  string
		quote bool
	}{{"plain", false}, {"quoted", true}} {
		body := manyRows(rows, c.quote)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body) / rows))
			var r *csv.Reader
			for i := range b.N {
				if i%rows == 0 {
					b.StopTimer()
					r = csv.NewReader(bytes.NewReader(body), csv.Options{})
					if _, err := r.Header(); err != nil {
						b.Fatal(err)
					}
					b.StartTimer()
				}
				if _, err := r.Next(); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.name+"/encoding-csv", func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body) / rows))
			var r *stdcsv.Reader
			for i := range b.N {
				if i%rows == 0 {
					b.StopTimer()
					r = stdcsv.NewReader(bytes.NewReader(body))
					r.ReuseRecord = true
					r.Read()
					b.StartTimer()
				}
				if _, err := r.Read(); err == io.EOF {
					b.Fatal(err)
				}
			}
		})
	}
}
