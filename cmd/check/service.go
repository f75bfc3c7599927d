package check

import (
	"fmt"
	"time"

	"dfinery-kafka/connector"
	"dfinery-kafka/pipeline"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/schema"
)

// service reports problems of the service that are recorded in the ledger. They are warnings by
// default: the pod with the new token must be able to start.
func (c *Check) service(peek *pipeline.Snapshot) {
	status := Warn
	if c.State {
		status = Fail
	}
	c.changes(peek.Changes)
	before := len(c.lines)
	if w := peek.Wait; w != nil && w.For == schema.WaitToken {
		c.add(status, "service token", "the API refused the token: all calls wait, the next attempt is "+until(w.Until),
			"set DFINERY_EXPORT_TOKEN, or the file that DFINERY_EXPORT_TOKEN_FILE names, to the service's Export token; dfinery-kafka resume STREAM tries it immediately")
	}
	if source, err := connector.NewSource(c.Client, c.Policy, peek.Source); err == nil { // else call says it
		if b := source.Status(time.Now()).Breaker; b.State != "closed" {
			c.add(status, "service breaker", fmt.Sprintf("%s: only probes are made, the next one is %s; cause: %s", b.State, until(b.Until), b.Cause),
				"nothing: it closes when a probe succeeds; dfinery-kafka dlq list --kind export shows what the API answered")
		}
	}
	for _, s := range peek.Streams {
		if s.Halted == nil {
			continue
		}
		detail := fmt.Sprintf("halted: %s", *s.Halted)
		if s.Next != nil && s.Next.At != nil {
			detail += "; the next attempt is " + until(*s.Next.At)
		}
		c.add(status, "stream "+s.Name, detail, "correct the stream's variables or its topic, then restart or run dfinery-kafka resume "+s.Name)
	}
	if c.State && len(c.lines) == before {
		c.add(OK, "service", "no token is refused, no breaker is open, no stream is halted")
	}
}

// changes reports what a start with this configuration means for days that were exported with
// another one.
func (c *Check) changes(events []schedule.Event) {
	for _, e := range events {
		switch e.Kind {
		case schedule.IdentityChanged:
			c.add(Warn, "stream "+e.Stream, fmt.Sprintf("its properties, topic or hidden columns have changed: run publishes %s with %s again, with other ids, by %s",
				schema.Pluralize(e.Count, "day"), schema.Pluralize(e.Rows, "row"), schema.Pluralize(e.Count, "call")), "nothing, if that is intended; otherwise restore the stream's variables")
		case schedule.ProfilesDiffer:
			c.add(Warn, "stream "+e.Stream, "its properties, topic or hidden columns have changed: run publishes profiles again that now differ from the topic, possibly all, by 1 call",
				"nothing, if that is intended; otherwise restore the stream's variables")
		case schedule.HidingBegins:
			c.add(Warn, "stream "+e.Stream, "run hides columns from now on, but Kafka still has their earlier cells: "+c.Service.StaleCopies(e.Stream, e.Topic), c.Service.StaleCopiesAdvice(e.Stream, e.Topic))
		case schedule.KeyRefused:
			c.add(Fail, "stream "+e.Stream, "run halts it: "+e.Detail, "mount the former key; dfinery-kafka resume "+e.Stream+" accepts the new one, and publishes the days in reach again")
		case schedule.SettingChanged:
			c.add(Warn, "stream "+e.Stream, e.Detail, "nothing, if that is intended")
		case schedule.DaysLack:
			c.add(Warn, "stream "+e.Stream, fmt.Sprintf("%s, %s, lack events that the stream exports now (%s): they were settled before the change", schema.Pluralize(e.Count, "day"), e.Range(), e.EventName),
				fmt.Sprintf("dfinery-kafka backfill %s --changed exports them again, by %s", e.Stream, schema.Pluralize(e.Count, "call")))
		case schedule.NameUnknown:
			variable := map[schedule.NameKind]string{schedule.NameOfEvent: "EVENTS", schedule.NameOfProperty: "PROPERTIES"}[e.NameKind]
			c.add(Warn, "stream "+e.Stream, e.Unknown(), "correct "+schema.StreamVariable(e.Stream, variable)+", or remove the name")
		case schedule.StreamRemoved:
			c.add(Warn, "stream "+e.Stream, "is no longer configured: its days are not exported; its topic is not deleted", "nothing, if that is intended")
		}
	}
}

func until(t time.Time) string {
	if !t.After(time.Now()) {
		return "due now"
	}
	return "at " + t.UTC().Format(time.RFC3339)
}
