package exportapi_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dfinery-kafka/connector/exportapi"
	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// rowByRow compares rows by slices.Equal, which is faster than cmp's comparison.
var rowByRow = cmp.Comparer(slices.Equal[[]string])

// simulate serves the Export API at noon of the day after export's.
func simulate(t *testing.T, s *exporttest.Server) *exportapi.Client {
	t.Helper()
	s.Clock = func() time.Time { return time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC) }
	server := s.Start()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	api := client(server.URL)
	api.Token = func() (schema.Secret, error) { return "export-token", nil }
	api.Transport = server.Client().Transport
	server.Client().Transport.(*http.Transport).DisableCompression = true
	return api
}

func simulated(t *testing.T, kind schema.Kind) schema.Export {
	e := export(t)
	e.Kind, e.Key = kind, "df_unified_id"
	return e
}

// table reads the cells of an export; err is its end.
func table(t *testing.T, api *exportapi.Client, e schema.Export) (read exporttest.Table, bad []string, err error) {
	t.Helper()
	body, err := api.Export(t.Context(), e)
	if err != nil {
		return read, nil, err
	}
	defer body.Close()
	read.Columns = body.Columns().Names
	for {
		row, err := body.Next()
		var isBad *schema.BadRow
		switch {
		case errors.As(err, &isBad):
			bad = append(bad, string(isBad.Code)+" "+string(isBad.Raw))
		case err != nil:
			return read, bad, err
		default:
			cells := make([]string, len(row.Cells))
			for i := range cells {
				cells[i] = string(row.Cell(i))
			}
			read.Rows = append(read.Rows, cells)
		}
	}
}

// TestSimulator compares all cells for every form of the CSV and of the answer.
func TestSimulator(t *testing.T) {
	for _, kind := range []schema.Kind{schema.Event, schema.UserProfile} {
		for _, format := range []exporttest.Format{{}, {BOM: true, CRLF: true}, {QuoteAll: true}} {
			for _, framing := range []exporttest.Framing{{}, {ContentLength: true}, {Gzip: true}, {FlushEvery: 7}} {
				t.Run(fmt.Sprintf("%s/%+v/%+v", kind, format, framing), func(t *testing.T) {
					s := &exporttest.Server{Data: exporttest.Data{RowsPerDay: 300, Users: 200, Odd: 0.3, Duplicates: 0.1}, Format: format, Framing: framing}
					read, bad, err := table(t, simulate(t, s), simulated(t, kind))
					if err != io.EOF || bad != nil {
						t.Errorf("ended with %v, bad rows %q", err, bad)
					}
					if diff := cmp.Diff(s.Expected(s.Calls()[0]), read, rowByRow); diff != "" {
						t.Error(diff)
					}
				})
			}
		}
	}
}

// TestSimulatedBadRows: a bad row does not affect the rows before and after it, and with the
// setting for unescaped quotes neither does a row with a quote that is not closed.
func TestSimulatedBadRows(t *testing.T) {
	kinds := []exporttest.BadKind{exporttest.FewerFields, exporttest.MoreFields, exporttest.BareQuote, exporttest.AfterQuote, exporttest.OpenQuote, exporttest.InvalidUTF8, exporttest.HugeCell, exporttest.EmptyLine}
	codes := []schema.Code{schema.FieldCount, schema.FieldCount, schema.BadQuotes, schema.BadQuotes, schema.BadQuotes, schema.InvalidUTF8, schema.TooLarge}
	fault := exporttest.Fault{}
	for i, kind := range kinds {
		fault.BadRows = append(fault.BadRows, exporttest.BadRow{After: 10 * (i + 1), Kind: kind, Size: 80 << 10})
	}
	for _, odd := range []float64{0, 0.3} {
		s := &exporttest.Server{Data: exporttest.Data{RowsPerDay: 200, Odd: odd}}
		api := simulate(t, s)
		api.MaxRow, api.RecoverQuotes = 64<<10, odd == 0
		s.Inject(fault)
		read, bad, err := table(t, api, simulated(t, schema.Event))
		if err != io.EOF {
			t.Errorf("ended with %v", err)
		}
		if diff := cmp.Diff(s.Expected(s.Calls()[0]), read, rowByRow); diff != "" {
			t.Error(diff)
		}
		var want []string
		for i, code := range codes {
			line := fault.BadRows[i].Line(read.Columns)
			want = append(want, string(code)+" "+line[:min(len(line), schema.MaxCopy)])
		}
		if diff := cmp.Diff(want, bad); diff != "" {
			t.Error(diff)
		}
	}
}

func TestSimulatedFaults(t *testing.T) {
	const all = -1
	for _, c := range []struct {
		name  string
		fault exporttest.Fault
		rows  int
		code  schema.Code
		class schema.Class
	}{
		{"dropped", exporttest.Fault{Drop: true}, 0, schema.Connection, schema.Trouble},
		{"hanging", exporttest.Fault{Hang: true}, 0, schema.Timeout, schema.Trouble},
		{"stalled", exporttest.Fault{Then: exporttest.Stall, AfterRow: 10, At: 5}, 10, schema.Timeout, schema.Trouble},
		{"slow", exporttest.Fault{Delay: 20 * time.Millisecond, Drip: 1 << 10, DripEvery: time.Millisecond}, all, "", 0},
		{"redirected", exporttest.Fault{Redirect: "https://other.example/"}, 0, schema.Redirect, schema.Trouble},
		{"query error", exporttest.Fault{Code: schema.QueryError, EchoToken: true}, 0, schema.QueryError, schema.Outage},
		{"closed", exporttest.Fault{Code: schema.ClientConnectionClosed}, 0, schema.ClientConnectionClosed, schema.Trouble},
		{"query error with 200, as CSV", exporttest.Fault{Code: schema.QueryError, Status: 200, ContentType: "text/csv"}, 0, schema.QueryError, schema.Outage},
		{"a page", exporttest.Fault{Page: "<html>busy</html>", Status: 503}, 0, schema.NotCSV, schema.Trouble},
		{"empty", exporttest.Fault{Empty: true}, 0, schema.EmptyBody, schema.Trouble},
		{"502", exporttest.Fault{Status: 502}, 0, "http_502", schema.Trouble},
		{"no key", exporttest.Fault{Without: []string{"df_unified_id"}}, 0, schema.BadHeader, schema.Refused},
		{"doubled column", exporttest.Fault{Rename: map[string]string{"event_name": "df_unified_id"}}, 0, schema.BadHeader, schema.Refused},
		{"no last line end", exporttest.Fault{NoFinal: true}, 49, schema.MaybeTorn, schema.Truncated},
		{"cut between rows", exporttest.Fault{Then: exporttest.Close, AfterRow: 10}, 10, schema.CutBody, schema.Trouble},
		{"cut in a row", exporttest.Fault{Then: exporttest.Close, AfterRow: 10, At: 7}, 10, schema.CutBody, schema.Trouble},
		{"cut behind the last row", exporttest.Fault{Then: exporttest.Close, AfterRow: 50}, 50, schema.CutBody, schema.Trouble},
		{"ended in a row", exporttest.Fault{Then: exporttest.End, AfterRow: 10, At: 7}, 10, schema.MaybeTorn, schema.Truncated},
		{"failed between rows", exporttest.Fault{Then: exporttest.Fail, AfterRow: 10}, 10, schema.QueryError, schema.Outage},
		{"failed in a row", exporttest.Fault{Then: exporttest.Fail, AfterRow: 10, At: 7, Say: schema.UnknownError}, 10, schema.UnknownError, schema.Outage},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &exporttest.Server{Data: exporttest.Data{RowsPerDay: 50, Odd: 0.2}, Framing: exporttest.Framing{FlushEvery: 100}}
			api := simulate(t, s)
			api.HeaderTimeout, api.IdleTimeout = 200*time.Millisecond, 200*time.Millisecond
			s.Inject(c.fault)
			read, bad, err := table(t, api, simulated(t, schema.Event))
			var f *schema.Failure
			if errors.As(err, &f) {
				if diff := cmp.Diff([]any{c.code, c.class, int64(c.rows)}, []any{f.Code, f.Class, f.Request.Rows}); diff != "" {
					t.Errorf("%s: %s", f, diff)
				}
				if strings.Contains(printed(t, f), "export-token") {
					t.Errorf("the token is in %+v", f)
				}
			} else if err != io.EOF || c.code != "" {
				t.Errorf("ended with %v", err)
			}
			want := s.Expected(s.Calls()[0]).Rows
			if c.rows != all {
				want = want[:c.rows]
			}
			if diff := cmp.Diff(want, read.Rows, cmpopts.EquateEmpty()); diff != "" || bad != nil {
				t.Errorf("bad %q, %s", bad, diff)
			}
		})
	}
}
