package main

// cell is the display of a day: a character, and an ANSI colour on a terminal.
type cell struct {
	mark, colour, meaning string
}

// cells are the looks of days, in the order of the legend. A day's is the one with its
// DayStatus.Shown as the meaning.
func cells() []cell {
	return []cell{{"█", "32", "settled"}, {"▒", "32", "open"}, {"·", "90", "pending"}, {"!", "33", "failing"}, {"n", "33", "narrowed"}, {"x", "31", "gap"}}
}

func cellOf(shown string) cell {
	for _, c := range cells() {
		if c.meaning == shown {
			return c
		}
	}
	return cell{mark: "?"}
}

func (c cell) draw(colour bool) string {
	if !colour {
		return c.mark
	}
	return "\x1b[" + c.colour + "m" + c.mark + "\x1b[0m"
}
