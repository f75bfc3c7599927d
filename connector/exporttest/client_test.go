package exporttest_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// rowByRow compares rows by slices.Equal, which is faster than cmp's comparison.
var rowByRow = cmp.Comparer(slices.Equal[[]string])

// noon is a time in the middle of today, in Seoul.
var noon = time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

func day(t *testing.T, text string) schema.Day {
	t.Helper()
	d, err := schema.ParseDay(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// ofDay returns a request for all events of a day.
func ofDay(text string) string {
	return fmt.Sprintf(`{"events_condition_type":"all","from_date":%q,"to_date":%q}`, text, text)
}

const yesterday = "2026-11-22"

// start serves until the end of the test, which also ends calls that hang.
func start(t *testing.T, s *exporttest.Server) *httptest.Server {
	t.Helper()
	if s.Clock == nil {
		s.Clock = clock
	}
	server := s.Start()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server
}

func request(t *testing.T, server *httptest.Server, path, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer export-token")
	return r
}

const (
	eventPath   = "/api/v1/export/event?service_id=1234"
	profilePath = "/api/v1/export/userprofile?service_id=1234"
)

// export makes a call that is answered; err is the error of reading the body.
func export(t *testing.T, server *httptest.Server, path, body string) (answer *http.Response, text []byte, err error) {
	t.Helper()
	answer, err = server.Client().Do(request(t, server, path, body))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err = io.ReadAll(answer.Body)
	return answer, text, err
}

// exportOK makes a call that must succeed.
func exportOK(t *testing.T, server *httptest.Server, path, body string) []byte {
	t.Helper()
	answer, text, err := export(t, server, path, body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("status %d, error %v: %.200s", answer.StatusCode, err, text)
	}
	return text
}

// parse reads a CSV with the standard library, which turns CR LF in a quoted cell into LF.
func parse(t *testing.T, text []byte) exporttest.Table {
	t.Helper()
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return exporttest.Table{Columns: rows[0], Rows: rows[1:]}
}

// asParsed returns the table as parse reads it.
func asParsed(table exporttest.Table) exporttest.Table {
	rows := make([][]string, len(table.Rows))
	for i, cells := range table.Rows {
		for _, cell := range cells {
			rows[i] = append(rows[i], strings.ReplaceAll(cell, "\r\n", "\n"))
		}
	}
	return exporttest.Table{Columns: table.Columns, Rows: rows}
}

// seen is an answer as net/http's client returns it.
type seen struct {
	Status int
	Type   string
	Body   string
	Err    error // of reading the body: nil, io.ErrUnexpectedEOF or syscall.ECONNRESET
}

func see(t *testing.T, client *http.Client, r *http.Request) seen {
	t.Helper()
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if errors.Is(err, syscall.ECONNRESET) {
		err = syscall.ECONNRESET
	}
	return seen{Status: answer.StatusCode, Type: answer.Header.Get("Content-Type"), Body: string(text), Err: err}
}
