package exporttest_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"dfinery-kafka/connector/exporttest"
)

// discard is a response that only counts bytes.
type discard struct {
	header http.Header
	bytes  int64
}

func (d *discard) Header() http.Header { return d.header }
func (d *discard) WriteHeader(int)     {}
func (d *discard) Write(p []byte) (int, error) {
	d.bytes += int64(len(p))
	return len(p), nil
}

// render renders an export of yesterday, without a network, and returns its size.
func render(s *exporttest.Server) int64 {
	w := &discard{header: make(http.Header)}
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, eventPath, strings.NewReader(ofDay(yesterday)))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer export-token")
	s.ServeHTTP(w, r)
	return w.bytes
}

func TestRowsHaveAboutTheSizeOfRealOnes(t *testing.T) {
	s := &exporttest.Server{Clock: clock, Data: exporttest.Data{RowsPerDay: 20_000}}
	size := render(s) / 20_000
	if size < 350 || size > 410 {
		t.Errorf("%d bytes a row, want about 380", size)
	}
	empty, cells := 0, 0
	for row := range s.Data.Rows(s.Calls()[0].Query) {
		for _, cell := range row {
			cells++
			if cell == "" {
				empty++
			}
		}
	}
	if share := 100 * empty / cells; share < 37 || share > 55 {
		t.Errorf("%d%% of the cells are empty, want about half", share)
	}
}

func TestRenderingAllocatesNothingForEachRow(t *testing.T) {
	s := &exporttest.Server{Clock: clock, Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{RowsPerDay: 50_000}}
	render(s) // makes the templates
	if allocations := testing.AllocsPerRun(3, func() { render(s) }); allocations > 500 {
		t.Errorf("%.0f allocations for 50,000 rows", allocations)
	}
}

func BenchmarkRender(b *testing.B) {
	benchmarks := []struct {
		name string
		data exporttest.Data
	}{
		{"plain", exporttest.Data{}},
		{"everything", exporttest.Data{Odd: 0.1, Duplicates: 0.1, Late: 0.1, LateFrom: 2, Gone: 0.1, Shuffle: true}},
	}
	for _, bench := range benchmarks {
		b.Run(bench.name, func(b *testing.B) {
			const rows = 200_000
			bench.data.RowsPerDay = rows
			bench.data.Users = 100_000
			s := &exporttest.Server{Clock: clock, Limits: exporttest.Limits{PerHour: -1}, Data: bench.data}
			b.SetBytes(render(s))
			for b.Loop() {
				render(s)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
		})
	}
}

func BenchmarkLoopback(b *testing.B) {
	const rows = 200_000
	s := &exporttest.Server{Clock: clock, Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{RowsPerDay: rows}}
	server := s.Start()
	defer server.Close()
	for b.Loop() {
		r, err := http.NewRequest(http.MethodPost, server.URL+eventPath, strings.NewReader(ofDay(yesterday)))
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer export-token")
		answer, err := server.Client().Do(r)
		if err != nil {
			b.Fatal(err)
		}
		n, err := io.Copy(io.Discard, answer.Body)
		if err != nil {
			b.Fatal(err)
		}
		answer.Body.Close()
		b.SetBytes(n)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
}
