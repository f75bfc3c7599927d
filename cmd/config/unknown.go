package config

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"dfinery-kafka/schema"
)

// fromKubernetes reports whether Kubernetes sets the variable in every container for each
// service of the namespace:
// https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
func fromKubernetes(variable string) bool {
	return strings.HasSuffix(variable, "_SERVICE_HOST") || strings.Contains(variable, "_PORT") && servicePort().MatchString(variable)
}

// servicePort is compiled when a variable needs it: most starts have none.
var servicePort = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`_SERVICE_PORT(_[A-Z0-9_]+)?$|_PORT$|_PORT_[0-9]+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?$`)
})

// unknown reports variables that look like the connector's but are unknown. It shows no values,
// which may be secrets.
func (l *loader) unknown(c *Config) {
	for _, proxy := range []string{httpsProxyVar, httpProxyVar} {
		l.known[proxy], l.known[strings.ToLower(proxy)] = true, true
	}
	names := slices.Sorted(maps.Keys(l.known))
	for _, variable := range slices.Sorted(maps.Keys(l.environ)) {
		if l.known[variable] || fromKubernetes(variable) {
			continue
		}
		if !l.checkUnusedStream(c, variable, names) {
			l.checkUnknown(variable, names)
		}
	}
}

// checkUnusedStream handles STREAM_… variables. While STREAMS itself is wrong, it checks only those
// of its valid names.
func (l *loader) checkUnusedStream(c *Config, variable string, names []string) bool {
	rest, ok := strings.CutPrefix(variable, "STREAM_")
	if !ok {
		return false
	}
	streams := c.StreamNames()
	stream, field, _ := strings.Cut(rest, "_")
	if !l.good("STREAMS") {
		return !slices.Contains(streams, strings.ToLower(stream))
	}
	if !ofStreams(field) || !isStreamName(strings.ToLower(stream)) {
		return false
	}
	message := "belongs to no stream: STREAMS is " + strings.Join(streams, ",")
	if meant := schema.Nearest(variable, names, slack(variable)); meant != "" {
		message += "; did you mean " + meant + "?"
	} else {
		message += ", without " + strings.ToLower(stream)
	}
	l.fault(variable, message)
	return true
}

// ofStreams reports whether each stream has such a variable: TOPIC of STREAM_X_TOPIC.
func ofStreams(field string) bool {
	for d := range declare(new(Stream), "", "", schema.Event) {
		if d.Name == field {
			return true
		}
	}
	return false
}

// checkUnknown reports an unknown variable. It is a fault if its prefix is used only by the
// connector, or if it is nearly a known name.
func (l *loader) checkUnknown(variable string, names []string) {
	meant := schema.Nearest(variable, names, slack(variable))
	if upper := strings.ToUpper(variable); slices.Contains(names, upper) {
		meant = upper
	}
	ours := slices.ContainsFunc([]string{"DFINERY_", "STREAM_", "BREAKER_", "PRIVACY_"}, func(prefix string) bool { return strings.HasPrefix(variable, prefix) })
	longer := sameWords(variable, names)
	switch {
	case meant != "":
		l.fault(variable, "unknown variable: did you mean "+meant+"?")
	case ours && longer != "":
		l.fault(variable, "unknown variable: did you mean "+longer+"?")
	case ours:
		hint := "`dfinery-kafka config` lists all variables"
		if like := schema.Nearest(variable, names, len(variable)/4); like != "" {
			hint = "the nearest is " + like
		}
		l.fault(variable, "unknown variable: "+hint)
	case strings.HasPrefix(variable, "KAFKA_") && longer != "":
		l.warn(variable, "unknown variable, it has no effect: did you mean "+longer+"?")
	case strings.HasPrefix(variable, "KAFKA_"):
		l.warn(variable, "unknown variable, it has no effect")
	}
}

// sameWords is the shortest name that contains all words of the variable in order; a word may
// be abbreviated. So DFINERY_TOKEN finds DFINERY_EXPORT_TOKEN, and KAFKA_SASL_USER finds
// KAFKA_SASL_USERNAME.
func sameWords(variable string, names []string) string {
	best := ""
	words := strings.Split(variable, "_")
	for _, name := range names {
		left := words
		for word := range strings.SplitSeq(name, "_") {
			if len(left) > 0 && left[0] != "" && strings.HasPrefix(word, left[0]) {
				left = left[1:]
			}
		}
		if len(left) == 0 && (best == "" || len(name) < len(best)) {
			best = name
		}
	}
	return best
}

// slack is the edit distance up to which a name is a near miss: one, or two for a long name.
func slack(variable string) int {
	switch {
	case len(variable) < 5:
		return 0
	case len(variable) < 10:
		return 1
	}
	return 2
}
