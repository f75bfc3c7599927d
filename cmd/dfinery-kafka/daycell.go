package main

import (
	"dfinery-kafka/pipeline"
	"dfinery-kafka/pipeline/ledger"
)

// cell is how a day looks: a character, and an ANSI colour on a terminal.
type cell struct {
	mark, colour, meaning string
}

var (
	cellSettled = cell{"█", "32", "settled"}
	cellOpen    = cell{"▒", "32", "open"}
	cellPending = cell{"·", "90", "pending"}
	cellFailing = cell{"!", "33", "failing"}
	cellNarrow  = cell{"n", "33", "narrowed"}
	cellGap     = cell{"x", "31", "gap"}
)

func cellOf(d *pipeline.DayStatus) cell {
	switch {
	case d == nil:
		return cellPending
	case d.State == ledger.Gap:
		return cellGap
	case len(d.Lacks) > 0:
		return cellNarrow
	case d.Error != nil:
		return cellFailing
	case d.State == ledger.Settled:
		return cellSettled
	case d.State == ledger.Open:
		return cellOpen
	}
	return cellPending
}

func (c cell) draw(colour bool) string {
	if !colour {
		return c.mark
	}
	return "\x1b[" + c.colour + "m" + c.mark + "\x1b[0m"
}
