package schedule

import (
	"strconv"
	"strings"
	"time"

	"dfinery-kafka/schema"
)

// offset parses a duration that since printed, or days: 1d, -30h.
func offset(text string) time.Duration {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		must(err)
		return time.Duration(n) * 24 * time.Hour
	}
	d, err := time.ParseDuration(text)
	must(err)
	return d
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// options are the arguments of a command of the form key=value or key.
type options map[string]string

func parseOptions(args []string) options {
	o := options{}
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		o[key] = value
	}
	return o
}

func (o options) has(key string) bool { _, ok := o[key]; return ok }

func (o options) number(key string, otherwise int) int {
	if !o.has(key) {
		return otherwise
	}
	n, err := strconv.Atoi(o[key])
	must(err)
	return n
}

func (o options) list(key string) []string {
	if o[key] == "" {
		return nil
	}
	return strings.Split(o[key], ",")
}

func (o options) at(key string) *time.Time {
	if !o.has(key) {
		return nil
	}
	at := noon.Add(offset(o[key])).UTC()
	return &at
}

func dayOf(back string) schema.Day {
	n, err := strconv.Atoi(strings.TrimPrefix(back, "-"))
	must(err)
	if strings.HasPrefix(back, "+") {
		n = -n
	}
	return today - schema.Day(n)
}
