package admin

import (
	"fmt"
	"strings"
	"time"

	"dfinery-kafka/pipeline"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// action is a problem, and what to do about it.
type action struct {
	Class, What, Do string
	Alert, Runbook  string // the alert's section in the runbook, and its address
}

// actions lists all problems, the most urgent first.
func actions(v *View, st *status, runbook string) []action {
	var list []action
	add := func(class, alert, what, do string) {
		a := action{Class: class, What: what, Do: do, Alert: alert}
		if runbook != "" && alert != "" {
			a.Runbook = runbook + "#" + strings.ToLower(alert)
		}
		list = append(list, a)
	}
	for _, p := range v.Parts() {
		if !p.Ready && p.Name == "kafka" {
			add("bad", "DfineryKafkaRefuses", "Kafka: "+shorten(p.Reason, maxDetail)+".", "Check the brokers and the network; the connector retries and continues by itself.")
		}
	}
	if v.authoritative() && v.Source.Token.Refused {
		add("bad", "DfineryTokenRefused", "The API refuses the Export token.", "Write a new token to DFINERY_EXPORT_TOKEN_FILE, or restart with another DFINERY_EXPORT_TOKEN.")
	}
	if st.Breaker != nil && st.Breaker.State != "closed" {
		add("warn", "DfineryBreakerOpen", "The circuit breaker is "+st.Breaker.State+": the API's database is failing.", "Nothing at first: probes are made automatically. If it lasts, report the times in the dead letters to DFINERY.")
	}
	if q := st.Quota; q != nil && q.Remaining == 0 {
		add("warn", "DfineryQuotaSpent", "The quota of calls is used up.", "Nothing: exports continue when calls are available. If it happens again, another client may use the quota.")
	}
	for i := range st.Streams {
		streamActions(&st.Streams[i], v.Pipeline.Remaining[st.Streams[i].Name], add)
	}
	return list
}

// soon is the remaining time of a day that was never exported below which the page
// shows an action, as in the alert DfineryReachRunsOut.
const soon = 5 * 24 * time.Hour

func streamActions(st *pipeline.StreamStatus, left time.Duration, add func(class, alert, what, do string)) {
	if st.Halted != nil {
		add("bad", "DfineryStreamHalted", "Stream "+st.Name+" is halted: "+shorten(*st.Halted, maxDetail)+".", "Fix the cause, then run: dfinery-kafka resume "+st.Name)
	}
	if p := st.Profiles; p != nil && p.Withheld > 0 {
		add("warn", "DfineryProfilesWithheld", fmt.Sprintf("Stream %s: %d deletes are withheld (%s).", st.Name, p.Withheld, p.Why),
			"Run dfinery-kafka profiles status "+st.Name+"; if the profiles really no longer exist: dfinery-kafka profiles approve "+st.Name)
	}
	if st.Paused {
		add("warn", "", "Stream "+st.Name+" is paused.", "Continue it with: dfinery-kafka resume "+st.Name)
	}
	if left > 0 && left < soon {
		add("bad", "DfineryReachRunsOut", fmt.Sprintf("Stream %s: a day that was never exported leaves the API's reach %s.", st.Name, countdown(left)), "Fix what prevents its export; it is exported before all others.")
	}
	var gaps, failing, narrowed int
	for i := range st.Days {
		switch st.Days[i].Shown() {
		case "gap":
			gaps++
		case "narrowed":
			narrowed++
		case "failing":
			failing++
		}
	}
	if gaps > 0 {
		add("bad", "DfineryGap", fmt.Sprintf("Stream %s: %s left the API's reach without a successful export.", st.Name, schema.Pluralize(gaps, "day")), "Their rows cannot be recovered through the API; ask DFINERY whether there is another way to export them.")
	}
	if failing > 0 {
		add("warn", "DfineryExportsFail", fmt.Sprintf("Stream %s: the last export of %s failed.", st.Name, schema.Pluralize(failing, "day")), "Nothing at first: they are retried. The dead letters have the failures.")
	}
	if narrowed > 0 {
		add("warn", "DfineryExportsFail", fmt.Sprintf("Stream %s: %s without events whose queries fail.", st.Name, schema.Pluralize(narrowed, "day")), "They are requested again every 6 hours; ask DFINERY about the events in the dead letters.")
	}
}

func commandText(c *ledger.Command, now time.Time) string {
	text := c.Verb + " " + c.Stream
	if c.Verb == "backfill" {
		text += fmt.Sprintf(" from %s to %s", c.From, c.To)
	}
	text += ", submitted " + ago(now.Sub(c.Given))
	if c.By != "" {
		text += " by " + c.By
	}
	switch {
	case c.Taken == nil:
		return text + ": queued"
	case c.Total > 0:
		return text + fmt.Sprintf(": %d of %d done", c.Finished, c.Total)
	}
	return text + ": running"
}
