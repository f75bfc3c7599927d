package admin

import (
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// metric is one metric family: what /metrics serves and what the documentation lists.
type metric struct {
	name   string
	kind   prometheus.ValueType // histograms have none of their own
	labels []string
	help   string
}

// The metrics, in the order of the documentation.
const (
	exports = iota
	rows
	exportBytes
	duration
	breakerState
	breakerTransitions
	quotaRemaining
	quotaLimit
	tokenRefused
	days
	incompleteAge
	reachRemaining
	lastSuccess
	deadLetters
	columnChanges
	columnCount
	badValues
	profileCount
	profilesScanned
	profilesLastComplete
	profilesPollInterval
	profilesUnusedPartitions
	gaps
	cutExports
	repeatedHeaders
	halted
	paused
	registryWaits
	owner
	ready
	partReady
	produceBatches
	produceRecords
	produceBytes
	produceRetries
	produceInFlight
	produceWaiting
	buildInfo
	metricCount
)

// metrics lists all families by the constants above.
func metrics() [metricCount]metric {
	const counter, gauge = prometheus.CounterValue, prometheus.GaugeValue
	return [metricCount]metric{
		exports:                  {"dfinery_exports_total", counter, []string{"stream", "code"}, "Ended export calls by result; ok is a success."},
		rows:                     {"dfinery_rows_total", counter, []string{"stream", "result"}, "Rows of exports: published, duplicate (published before) or dead_letter; with MODE=changes also deleted (profiles)."},
		exportBytes:              {"dfinery_export_bytes_total", counter, []string{"stream"}, "Bytes of the rows that were received."},
		duration:                 {"dfinery_export_duration_seconds", 0, []string{"stream"}, "Time from an export's start to the end of its body, including failed exports."},
		breakerState:             {"dfinery_breaker_state", gauge, []string{"state"}, "1 for the circuit breaker's current state: closed, open or half-open."},
		breakerTransitions:       {"dfinery_breaker_transitions_total", counter, []string{"from", "to"}, "Changes of the circuit breaker's state."},
		quotaRemaining:           {"dfinery_quota_remaining", gauge, nil, "Export calls that the API allows now."},
		quotaLimit:               {"dfinery_quota_limit", gauge, nil, "Export calls that the API allows in an hour."},
		tokenRefused:             {"dfinery_token_refused", gauge, nil, "1 while the API refuses the token: every stream waits for a new one."},
		days:                     {"dfinery_days", gauge, []string{"stream", "state"}, "Days by state: pending days were never exported successfully, a gap is lost at the source. Days that are failing (the last export failed) or narrowed (exported in slices, or without some events) are also counted in another state."},
		incompleteAge:            {"dfinery_oldest_incomplete_day_age_seconds", gauge, []string{"stream"}, "Time since the end of the oldest day that was not exported successfully after its end; 0 without one. Streams of events only."},
		reachRemaining:           {"dfinery_reach_remaining_seconds", gauge, []string{"stream"}, "Time until the oldest day that was never exported is lost; absent without one."},
		lastSuccess:              {"dfinery_last_success_timestamp_seconds", gauge, []string{"stream"}, "When an export last succeeded; absent if none did."},
		deadLetters:              {"dfinery_dead_letters_total", counter, []string{"stream", "kind", "code"}, "Records written to the dead-letter topic: of a failed export or of a row."},
		columnCount:              {"dfinery_columns", gauge, []string{"stream"}, "Columns of the last export's header."},
		badValues:                {"dfinery_bad_values_total", counter, []string{"stream", "action"}, "Cells that do not match their column's type, by action: dead-letter (of the row) or null."},
		columnChanges:            {"dfinery_column_changes_total", counter, []string{"stream"}, "Exports whose header has columns that the stream never had."},
		profileCount:             {"dfinery_profiles", gauge, []string{"stream", "state"}, "Profiles of a stream with MODE=changes by the last snapshot: present, absent (only in the topic) and, of these, withheld (not deleted yet)."},
		profilesScanned:          {"dfinery_profiles_scanned", gauge, []string{"stream"}, "Records of the compacted topic that the last export read."},
		profilesLastComplete:     {"dfinery_profiles_last_complete_timestamp_seconds", gauge, []string{"stream"}, "When a snapshot last proved which profiles are absent; 0 if none did."},
		profilesPollInterval:     {"dfinery_profiles_poll_interval_seconds", gauge, []string{"stream"}, "Interval between exports of snapshots."},
		profilesUnusedPartitions: {"dfinery_profiles_unused_partitions", gauge, []string{"stream"}, "Partitions that were added to the compacted topic and are not used."},
		gaps:                     {"dfinery_gaps_total", counter, []string{"stream"}, "Days that left the API's reach without a successful export."},
		cutExports:               {"dfinery_cut_exports", gauge, []string{"stream", "cut"}, "Finished days whose last answer was cut: no_newline, too_few_fields or unclosed_cell. Their rows after the cut are missing."},
		repeatedHeaders:          {"dfinery_repeated_headers_total", counter, []string{"stream"}, "Rows of exports that were left out because they repeat the header line."},
		halted:                   {"dfinery_stream_halted", gauge, []string{"stream"}, "1 while the stream is halted: an operator must act, or its topic must become available."},
		paused:                   {"dfinery_stream_paused", gauge, []string{"stream"}, "1 while the stream is paused by a command."},
		registryWaits:            {"dfinery_stream_waits_for_registry", gauge, []string{"stream"}, "1 while days of the stream wait for the schema registry."},
		owner:                    {"dfinery_owner", gauge, nil, "1 while this instance owns the service; 0 on a standby and during the start."},
		ready:                    {"dfinery_ready", gauge, nil, "1 while /readyz reports ready."},
		partReady:                {"dfinery_part_ready", gauge, []string{"part"}, "1 while that part of /readyz is ready: owner, ledger, kafka, token or process."},
		produceBatches:           {"dfinery_produce_batches_total", counter, nil, "Record batches that Kafka has acknowledged, including the ledger's."},
		produceRecords:           {"dfinery_produce_records_total", counter, nil, "Records of those batches."},
		produceBytes:             {"dfinery_produce_bytes_total", counter, nil, "Compressed bytes of those batches."},
		produceRetries:           {"dfinery_produce_retries_total", counter, nil, "Attempts to send a batch beyond its first."},
		produceInFlight:          {"dfinery_produce_in_flight", gauge, nil, "Partitions with an unacknowledged batch."},
		produceWaiting:           {"dfinery_produce_waiting", gauge, nil, "Partitions whose batch failed and is being retried."},
		buildInfo:                {"dfinery_build_info", gauge, []string{"version", "commit", "go"}, "1; the labels describe this binary."},
	}
}

// Markdown returns the README's table of all metrics except those of the Go runtime and
// the process.
func Markdown() string {
	var b strings.Builder
	b.WriteString("| metric | type | labels | meaning |\n|---|---|---|---|\n")
	for _, m := range metrics() {
		kind := "histogram"
		switch m.kind {
		case prometheus.CounterValue:
			kind = "counter"
		case prometheus.GaugeValue:
			kind = "gauge"
		}
		labels := slices.Clone(m.labels)
		for i := range labels {
			labels[i] = "`" + labels[i] + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.name, kind, strings.Join(labels, ", "), m.help)
	}
	return b.String()
}
