package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// render writes an overview as text.
func render(w io.Writer, o *overview, loc *time.Location, colour bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "service %s, %s\n", o.Service, owner(o))
	fmt.Fprintf(&b, "calls left this hour: %d of %d%s%s; breaker %s%s%s\n", o.Quota.Remaining, o.Quota.Limit, made(&o.Quota), nextFree(&o.Quota),
		o.Breaker.State, until(" until", o.Breaker.Until), because(o.Breaker.Cause))
	for _, note := range o.Notes {
		fmt.Fprintf(&b, "note: %s\n", note)
	}
	for i := range o.Streams {
		b.WriteByte('\n')
		renderStream(&b, o, &o.Streams[i], loc, colour)
	}
	for _, c := range o.Commands {
		state := "waits for the owner"
		if c.Taken != nil {
			state = "under way for " + span(o.At.Sub(*c.Taken))
		}
		fmt.Fprintf(&b, "\ncommand %s %s, given %s by %s: %s\n", c.Verb, c.Stream, ago(o.At, c.Given), c.By, state)
	}
	var legend []string
	for _, c := range cells() {
		legend = append(legend, c.draw(colour)+" "+c.meaning)
	}
	fmt.Fprintf(&b, "\n%s\n", strings.Join(legend, "  "))
	_, err := io.WriteString(w, b.String())
	return err
}

// nextFree is when the next call is free; empty if there is one now.
func nextFree(q *quotaView) string {
	if q.Remaining > 0 {
		return ""
	}
	return until(", the next one at", q.ResetsAt)
}

// made distinguishes the calls made here from those that other clients must have made, if there
// are any.
func made(q *quotaView) string {
	if q.Made >= q.Limit-q.Remaining {
		return ""
	}
	return fmt.Sprintf(" (%d made here)", q.Made)
}

func owner(o *overview) string {
	switch {
	case o.Owner == nil:
		return "never run"
	case o.Owner.Released:
		return fmt.Sprintf("stopped %s by %s", ago(o.At, o.Owner.Beat), o.Owner.Instance)
	case !o.Alive:
		return fmt.Sprintf("whose owner %s was last heard of %s: if it runs, see its log and dfinery-kafka check", o.Owner.Instance, ago(o.At, o.Owner.Beat))
	}
	return fmt.Sprintf("owned by %s (%s) for %s", o.Owner.Instance, strings.Trim(o.Owner.Version, "()"), span(o.At.Sub(o.Owner.Since)))
}

func until(what string, t *time.Time) string {
	if t == nil {
		return ""
	}
	return what + " " + t.Format(time.RFC3339)
}

func because(cause string) string {
	if cause == "" {
		return ""
	}
	return " (" + cause + ")"
}

// ago formats how long before now t was.
func ago(now, t time.Time) string {
	if d := now.Sub(t); d.Round(time.Second) > 0 {
		return span(d) + " ago"
	}
	return "just now"
}

// span formats a duration; clock differences never make it negative.
func span(d time.Duration) string {
	switch d = max(0, d.Round(time.Second)); {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}
