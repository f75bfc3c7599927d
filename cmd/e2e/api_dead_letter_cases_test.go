package e2e

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/pipeline/cluster/clustertest"
	"dfinery-kafka/schema"
)

// letterCase is a failure of the first call of each endpoint. All later calls succeed.
type letterCase struct {
	fault   exporttest.Fault
	exit    int                // of run --once
	server  *exporttest.Server // nil: one with a few rows
	environ map[string]string
	rows    []row // rows of the answer that fails
}

// behind returns a fault that breaks a body off after its third row, when the rows before it
// have arrived.
func behind(then exporttest.Break, at int64) exporttest.Fault {
	return exporttest.Fault{Then: then, AfterRow: 3, At: at, Drip: 1 << 20, DripEvery: 100 * time.Millisecond}
}

func page(status int, contentType, text string) exporttest.Fault {
	return exporttest.Fault{Status: status, ContentType: contentType, Page: text}
}

func code(c schema.Code, status int) exporttest.Fault {
	return exporttest.Fault{Code: c, Status: status}
}

func badRow(kind exporttest.BadKind) exporttest.Fault {
	return exporttest.Fault{BadRows: []exporttest.BadRow{{After: 3, Kind: kind}}}
}

// letterCases are all codes of the API, with their documented status and with others, other
// answers, broken connections, and broken bodies. A case without a failure has no dead letter.
func letterCases(t *testing.T) map[string]letterCase {
	reset := fmt.Sprint(time.Now().Add(2 * time.Hour).Unix())
	return map[string]letterCase{
		"client_connection_closed": {fault: code(schema.ClientConnectionClosed, 0)},
		"invalid_parameter":        {fault: code(schema.InvalidParameter, 0), exit: 3},
		"exceed_date_range_limit":  {fault: code(schema.ExceedDateRangeLimit, 0), exit: 3},
		"unauthorized_token":       {fault: code(schema.UnauthorizedToken, 0), exit: 3},
		"too_many_api_requests": {exit: 3, fault: exporttest.Fault{Code: schema.TooManyAPIRequests, Header: http.Header{
			"X-Rate-Limit-Limit": {"1H"}, "X-Rate-Limit-Remaining": {"0"}, "X-Rate-Limit-Reset": {reset}, "Retry-After": {"7200"},
		}}},
		"unknown_error":                 {fault: code(schema.UnknownError, 0)},
		"query_error":                   {fault: code(schema.QueryError, 0)},
		"query_error_as_200":            {fault: code(schema.QueryError, 200)},
		"unknown_error_as_400":          {fault: code(schema.UnknownError, 400)},
		"invalid_parameter_as_200":      {fault: code(schema.InvalidParameter, 200), exit: 3},
		"unauthorized_token_as_500":     {fault: code(schema.UnauthorizedToken, 500), exit: 3},
		"client_connection_closed_499":  {fault: code(schema.ClientConnectionClosed, 499)},
		"unknown_code":                  {fault: code("brand_new_code", 500)},
		"unknown_code_as_200":           {fault: code("brand_new_code", 200)},
		"token_echoed":                  {fault: exporttest.Fault{Code: schema.UnknownError, EchoToken: true}},
		"json_of_somebody_else":         {fault: page(503, "application/problem+json", `{"title":"upstream is away","status":503}`)},
		"json_cut":                      {fault: page(500, "application/json", `{"result":"fail","mess`)},
		"json_without_content_type":     {fault: page(500, "application/octet-stream", ` {"result":"fail","message":"query_error"}`)},
		"csv_called_json":               {fault: page(200, "application/json", "df_unified_id,event_name\nu,e\n"), rows: newRows(map[string]string{"df_unified_id": "u", "event_name": "e"})},
		"json_called_csv":               {fault: page(200, "text/csv", `{"result":"fail","message":"unknown_error"}`)},
		"html_502":                      {fault: page(502, "", "<html><body>Bad Gateway</body></html>")},
		"html_503_and_retry_after":      {fault: exporttest.Fault{Status: 503, Page: "<html>later</html>", Header: http.Header{"Retry-After": {"1"}}}},
		"html_200":                      {fault: page(200, "", "<html><body>log in</body></html>")},
		"html_called_csv":               {fault: page(200, "text/csv", "\n <!doctype html><p>log in")},
		"text_404":                      {fault: page(404, "text/plain", "no such page"), exit: 3},
		"text_403":                      {fault: page(403, "text/plain", "forbidden"), exit: 3},
		"text_429":                      {fault: exporttest.Fault{Status: 429, Page: "slow down", ContentType: "text/plain", Header: http.Header{"Retry-After": {"7200"}}}, exit: 3},
		"empty_502":                     {fault: exporttest.Fault{Status: 502}},
		"empty_504":                     {fault: exporttest.Fault{Status: 504, Empty: true}},
		"empty_200":                     {fault: exporttest.Fault{Empty: true}},
		"no_text":                       {fault: page(200, "text/csv", "\x00\x01 binary")},
		"bytes_like_gzip":               {fault: page(200, "text/csv", "\x1f\x8b\x00\x01 binary")},
		"latin1_page":                   {fault: page(500, "text/plain; charset=iso-8859-1", "caf\xe9")},
		"redirect":                      {fault: exporttest.Fault{Redirect: "https://elsewhere.example/api"}},
		"dropped":                       {fault: exporttest.Fault{Drop: true}},
		"hangs":                         {fault: exporttest.Fault{Hang: true}, environ: map[string]string{"DFINERY_HEADER_TIMEOUT": "700ms"}},
		"stalls_in_the_header":          {fault: exporttest.Fault{Then: exporttest.Stall, At: 5}, environ: map[string]string{"DFINERY_HEADER_TIMEOUT": "700ms"}},
		"stalls_behind_rows":            {fault: behind(exporttest.Stall, 5), environ: map[string]string{"DFINERY_IDLE_TIMEOUT": "700ms"}},
		"reset_behind_rows":             {fault: behind(exporttest.Reset, 5)},
		"closed_in_the_header":          {fault: exporttest.Fault{Then: exporttest.Close, At: 5}},
		"no_last_chunk":                 {fault: behind(exporttest.Close, 5)},
		"no_last_chunk_at_a_line_end":   {fault: behind(exporttest.Close, 0)},
		"short_of_content_length":       {fault: behind(exporttest.Close, 5), server: &exporttest.Server{Framing: exporttest.Framing{ContentLength: true}}},
		"gzip_cut":                      {fault: behind(exporttest.Close, 5), server: &exporttest.Server{Framing: exporttest.Framing{Gzip: true}}},
		"ends_within_a_line":            {fault: behind(exporttest.End, 5)},
		"ends_within_the_header":        {fault: exporttest.Fault{Then: exporttest.End, At: 5}},
		"failure_behind_rows":           {fault: behind(exporttest.Fail, 0)},
		"failure_glued_to_a_row":        {fault: behind(exporttest.Fail, 5)},
		"failure_without_a_known_code":  {fault: exporttest.Fault{Then: exporttest.Fail, AfterRow: 3, Say: "disk_full"}},
		"fewer_fields":                  {fault: badRow(exporttest.FewerFields)},
		"more_fields":                   {fault: badRow(exporttest.MoreFields)},
		"bare_quote":                    {fault: badRow(exporttest.BareQuote)},
		"text_after_quote":              {fault: badRow(exporttest.AfterQuote)},
		"invalid_utf8":                  {fault: badRow(exporttest.InvalidUTF8)},
		"empty_key":                     {fault: badRow(exporttest.EmptyKey)},
		"too_large":                     {fault: badRow(exporttest.HugeCell), environ: map[string]string{"KAFKA_COMPRESSION": "none"}},
		"an_empty_line_is_no_row":       {fault: badRow(exporttest.EmptyLine)},
		"header_without_the_key":        {fault: exporttest.Fault{Without: []string{"df_unified_id"}}, exit: 3, server: empty()},
		"header_with_a_name_twice":      {fault: exporttest.Fault{Rename: map[string]string{"df_platform": "df_country", "points": "city"}}, exit: 3, server: empty()},
		"header_with_an_empty_name":     {fault: exporttest.Fault{Rename: map[string]string{"df_country": "", "city": ""}}, exit: 3, server: empty()},
		"header_and_no_rows":            {server: empty()},
		"bom_crlf_and_quoted_cells":     {server: &exporttest.Server{Data: exporttest.Data{Odd: 0.5}, Format: exporttest.Format{BOM: true, CRLF: true, QuoteAll: true}}},
		"nobody_listens":                {exit: 3, environ: map[string]string{"DFINERY_BASE_URL": "http://" + clustertest.ClosedPort(t), "BREAKER_FAILURES": "1"}},
		"plain_http_where_tls_is_asked": {exit: 3, environ: map[string]string{"DFINERY_BASE_URL": "https"}},
	}
}

// empty returns a server without events and with one profile.
func empty() *exporttest.Server {
	return &exporttest.Server{Data: exporttest.Data{RowsOn: func(schema.Day) int { return 0 }, Users: 1}}
}

// first injects a fault into the first call of each endpoint. The two calls wait for each
// other, so that both have begun before one fails.
func first(ctx context.Context, f exporttest.Fault) func(exporttest.Call) *exporttest.Fault {
	var mu sync.Mutex
	seen, both := map[schema.Kind]bool{}, make(chan struct{})
	return func(c exporttest.Call) *exporttest.Fault {
		mu.Lock()
		again := seen[c.Kind]
		seen[c.Kind] = true
		if !again && len(seen) == 2 {
			close(both)
		}
		mu.Unlock()
		if again {
			return nil
		}
		select {
		case <-both:
		case <-ctx.Done():
		}
		return &f
	}
}
