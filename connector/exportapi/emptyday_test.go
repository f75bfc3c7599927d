package exportapi_test

import (
	"net/http"
	"strings"
	"testing"

	"dfinery-kafka/connector/exportapi"
	"dfinery-kafka/schema"
)

// TestEmptyDay: an answer that DFINERY_EMPTY_DAY names is a success without rows only for
// calls that the pipeline marks as possibly empty.
func TestEmptyDay(t *testing.T) {
	all := []exportapi.EmptyAnswer{exportapi.NoContent, exportapi.NotFound, exportapi.Empty}
	const noSuchDay = `{"result":"fail","message":"no_data"}`
	for _, c := range []struct {
		name     string
		status   int
		kind     string
		body     string
		accepted []exportapi.EmptyAnswer
		mayBe    bool
		failure  schema.Code // empty: a success without rows
		class    schema.Class
		empty    bool
		detail   string
	}{
		{name: "204", status: 204, accepted: all, mayBe: true},
		{name: "404", status: 404, kind: "text/plain", body: "no data", accepted: all, mayBe: true},
		{name: "404 with an unknown message", status: 404, kind: "application/json", body: noSuchDay, accepted: all, mayBe: true},
		{name: "empty", status: 200, kind: "text/csv", accepted: all, mayBe: true},
		{name: "empty JSON", status: 200, kind: "application/json", accepted: all, mayBe: true},
		{name: "white space", status: 200, body: " \r\n", accepted: all, mayBe: true},

		{name: "204 is an error by default", status: 204, mayBe: true, failure: "http_204", detail: "set DFINERY_EMPTY_DAY=204"},
		{name: "404 is an error by default", status: 404, mayBe: true, failure: "http_404", class: schema.Refused, detail: "set DFINERY_EMPTY_DAY=404"},
		{name: "empty is an error by default", status: 200, mayBe: true, failure: schema.EmptyBody, detail: "set DFINERY_EMPTY_DAY=empty"},
		{name: "another answer is allowed", status: 404, accepted: all[:1], mayBe: true, failure: "http_404", class: schema.Refused, detail: "set DFINERY_EMPTY_DAY=404"},

		{name: "204 of a day that can't be empty", status: 204, accepted: all, failure: "http_204", class: schema.Refused, empty: true, detail: "DFINERY_EMPTY_DAY accepts"},
		{name: "404 of a day that can't be empty", status: 404, accepted: all, failure: "http_404", class: schema.Refused, empty: true, detail: "check DFINERY_BASE_URL"},
		{name: "nothing for a day that can't be empty", status: 200, accepted: all, failure: schema.EmptyBody, class: schema.Refused, empty: true},

		{name: "a page with 404", status: 404, kind: "text/html", body: "<h1>404</h1>", accepted: all, mayBe: true, failure: schema.NotCSV},
		{name: "a failure with 404", status: 404, body: `{"result":"fail","message":"query_error"}`, accepted: all, mayBe: true, failure: schema.QueryError, class: schema.Outage},
		{name: "410", status: 410, accepted: all, mayBe: true, failure: "http_410", class: schema.Refused},
		{name: "an empty 502", status: 502, accepted: all, mayBe: true, failure: "http_502"},
		{name: "JSON without rows", status: 200, body: "{}", accepted: all, mayBe: true, failure: schema.NotCSV},
	} {
		t.Run(c.name, func(t *testing.T) {
			api, _ := answering(c.status, http.Header{"Content-Type": {c.kind}}, c.body)
			api.EmptyDay = c.accepted
			e := export(t)
			e.MayBeEmpty = c.mayBe
			got := run(t, api, e)
			if f := got.Failure; c.failure != "" {
				if f == nil || f.Code != c.failure || f.Class != c.class || f.Empty != c.empty || !strings.Contains(f.Detail, c.detail) {
					t.Errorf("%+v", f)
				}
			} else if f != nil || len(got.Columns)+len(got.Rows)+len(got.Bad) > 0 {
				t.Errorf("%+v", got)
			}
		})
	}
}
