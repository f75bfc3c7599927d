package deploy_test

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/cmd/admin"
)

// scraped are labels that Prometheus or its configuration adds to every metric.
var scraped = []string{"dfinery_service", "instance", "le"}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// metrics returns the labels of each metric of the program.
func metrics() map[string][]string {
	all := map[string][]string{}
	for line := range strings.Lines(admin.Markdown()) {
		cells := strings.Split(line, "|")
		if len(cells) < 5 || !strings.Contains(cells[1], "dfinery_") {
			continue
		}
		name := strings.Trim(cells[1], " `")
		labels := strings.FieldsFunc(cells[3], func(c rune) bool { return strings.ContainsRune("`, ", c) })
		all[name] = labels
		if strings.TrimSpace(cells[2]) == "histogram" {
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				all[name+suffix] = labels
			}
		}
	}
	return all
}

var (
	named    = regexp.MustCompile(`\bdfinery_[a-z_]+\b`)
	selected = regexp.MustCompile(`\b(dfinery_[a-z_]+)\{([^}]*)\}`)
	matcher  = regexp.MustCompile(`([a-z_]+)\s*(=~|!~|!=|=)\s*"([^"]*)"`)
)

// values returns the values of labels in a scrape in which everything occurs, by "metric label".
func values(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for line := range strings.Lines(read(t, "../cmd/admin/testdata/metrics-owner.txt")) {
		if found := selected.FindStringSubmatch(line); found != nil {
			for _, m := range matcher.FindAllStringSubmatch(found[2], -1) {
				all[found[1]+" "+m[1]] = append(all[found[1]+" "+m[1]], m[3])
			}
		}
	}
	return all
}

// checkQuery checks that every metric in a query exists and can have the labels and values in
// the query.
func checkQuery(t *testing.T, where, query string) {
	t.Helper()
	known, possible := metrics(), values(t)
	for _, name := range named.FindAllString(query, -1) {
		if _, ok := known[name]; !ok && !slices.Contains(scraped, name) {
			t.Errorf("%s: there is no metric %s: %s", where, name, query)
		}
	}
	for _, found := range selected.FindAllStringSubmatch(query, -1) {
		labels := slices.Concat(known[found[1]], scraped)
		for _, m := range matcher.FindAllStringSubmatch(found[2], -1) {
			if !slices.Contains(labels, m[1]) {
				t.Errorf("%s: %s has no label %s: %s", where, found[1], m[1], query)
			}
			if m[2] == "=" && !slices.Contains(scraped, m[1]) && !slices.Contains(possible[found[1]+" "+m[1]], m[3]) {
				t.Errorf("%s: %s is never %s: %s", where, m[1], m[3], query)
			}
		}
	}
}

// queries returns the dashboard's queries by panel or variable.
func queries(t *testing.T) map[string][]string {
	t.Helper()
	var dashboard struct {
		Templating struct {
			List []struct{ Name, Definition string }
		}
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, "grafana/dashboard.json")), &dashboard); err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for _, v := range dashboard.Templating.List {
		if v.Definition != "" {
			all["$"+v.Name] = []string{v.Definition}
		}
	}
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			all[p.Title] = append(all[p.Title], target.Expr)
		}
	}
	return all
}

// TestDashboard: the queries of the dashboard are valid, and every metric is shown.
func TestDashboard(t *testing.T) {
	t.Parallel()
	left := metrics()
	for name := range left {
		if strings.HasPrefix(name, "dfinery_export_duration_seconds") {
			delete(left, name) // one of its series is enough
		}
	}
	for panel, list := range queries(t) {
		for _, query := range list {
			checkQuery(t, panel, query)
			for _, name := range named.FindAllString(query, -1) {
				delete(left, name)
			}
		}
	}
	if diff := cmp.Diff([]string(nil), slices.Sorted(maps.Keys(left))); diff != "" {
		t.Errorf("metrics that no panel shows (-want +got):\n%s", diff)
	}
}

var (
	aggregation = regexp.MustCompile(`\b(?:sum|min|max|avg|count)\b\s*(by \([^)]*\))?`)
	grouped     = regexp.MustCompile(`\bdfinery_service\b`)
)

// TestDashboardTellsServicesApart: no panel aggregates services, and each legend has the service.
func TestDashboardTellsServicesApart(t *testing.T) {
	t.Parallel()
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr, LegendFormat, Format string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, "grafana/dashboard.json")), &dashboard); err != nil {
		t.Fatal(err)
	}
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			for _, found := range aggregation.FindAllStringSubmatch(target.Expr, -1) {
				if !grouped.MatchString(found[1]) {
					t.Errorf("%s: %q does not keep dfinery_service: %s", p.Title, found[0], target.Expr)
				}
			}
			if target.Format != "table" && !strings.Contains(target.LegendFormat, "{{dfinery_service}}") {
				t.Errorf("%s: the legend %q does not name the service", p.Title, target.LegendFormat)
			}
		}
	}
}

var (
	alert   = regexp.MustCompile(`(?m)^ *- alert: (\w+)$`)
	runbook = regexp.MustCompile(`(?m)^ *(?:runbook_url: deploy/RUNBOOK\.md|\{\{.*"runbook_url".*\}\})#(\w+)$`)
	section = regexp.MustCompile(`(?m)^## (\w+)$`)
	tested  = regexp.MustCompile(`alertname: (\w+)`)
	link    = regexp.MustCompile(`\]\(#(\w+)\)`)
)

func firsts(found [][]string) []string {
	var names []string
	for _, f := range found {
		names = append(names, f[1])
	}
	return names
}

// TestAlerts: each alert has a valid query, a test, and a link to an existing section of the
// runbook.
func TestAlerts(t *testing.T) {
	t.Parallel()
	rules := read(t, "prometheus/alerts.yaml")
	if rules != read(t, "../helm/dfinery-kafka/files/alerts.yaml") {
		t.Error("prometheus/alerts.yaml must be a link to the chart's file")
	}
	for block := range strings.SplitSeq(rules, "- alert: ") {
		query, _, _ := strings.Cut(block, "labels:\n")
		if name, query, ok := strings.Cut(query, "\n"); ok && strings.HasPrefix(name, "Dfinery") {
			checkQuery(t, name, query)
		}
	}
	own := firsts(alert.FindAllStringSubmatch(rules, -1))
	distinct := slices.Compact(slices.Sorted(slices.Values(firsts(tested.FindAllStringSubmatch(read(t, "prometheus/alerts_test.yaml"), -1)))))
	if diff := cmp.Diff(slices.Sorted(slices.Values(own)), distinct); diff != "" {
		t.Errorf("alerts and their tests (-alerts +tests):\n%s", diff)
	}

	rules += read(t, "../helm/dfinery-kafka/templates/prometheusrule.yaml") // which has one more alert
	all := firsts(alert.FindAllStringSubmatch(rules, -1))
	text := read(t, "RUNBOOK.md")
	sections := firsts(section.FindAllStringSubmatch(text, -1))
	if diff := cmp.Diff(slices.Sorted(slices.Values(all)), slices.Sorted(slices.Values(sections))); diff != "" {
		t.Errorf("alerts and the runbook's sections (-alerts +sections):\n%s", diff)
	}
	var anchors []string
	for _, name := range all {
		anchors = append(anchors, strings.ToLower(name))
	}
	if diff := cmp.Diff(anchors, firsts(runbook.FindAllStringSubmatch(rules, -1))); diff != "" {
		t.Errorf("links to the runbook (-want +got):\n%s", diff)
	}
	for _, anchor := range firsts(link.FindAllStringSubmatch(text, -1)) {
		if !slices.Contains(anchors, anchor) {
			t.Errorf("the runbook links to #%s, which does not exist", anchor)
		}
	}
	for part := range strings.SplitSeq(text, "\n## ") {
		name, body, _ := strings.Cut(part, "\n")
		if strings.HasPrefix(name, "Dfinery") && (!strings.Contains(body, "**Meaning**") || !strings.Contains(body, "**Resolved when**") || !strings.Contains(body, "**Diagnosis")) {
			t.Errorf("the runbook's %s lacks its meaning, diagnosis, or when it is resolved", name)
		}
	}
}
