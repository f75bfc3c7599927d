package schema

import (
	"fmt"
	"strings"
)

// Pluralize formats a number of things, in the plural unless it is one.
func Pluralize(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// StreamVariable is the name of a stream's variable, such as STREAM_EVENTS_TOPIC for events and
// TOPIC.
func StreamVariable(stream, variable string) string {
	return "STREAM_" + strings.ToUpper(stream) + "_" + variable
}
