package config

import (
	"cmp"
	"errors"
	"os"
	"reflect"
	"strings"

	"dfinery-kafka/schema"
)

// Finding is a fault or a warning.
type Finding struct {
	Variable string `json:"variable"`
	Message  string `json:"message"`
}

func (f Finding) Error() string { return f.Variable + ": " + f.Message }

// Report describes the configuration, valid or not. Secrets are redacted.
type Report struct {
	Variables []Variable `json:"variables"`
	Warnings  []Finding  `json:"warnings"`
	Faults    []Finding  `json:"faults"`
}

// Variable is one variable of the listing. A variable that has no effect on its stream is
// listed only if it is set.
type Variable struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	From    string `json:"from"` // default, environment, the variable that names its file, or empty: no value
	Default string `json:"default"`
	Meaning string `json:"meaning"`
}

// Load reads the configuration from the environment of the process. The error joins all faults,
// one per line; the Config is then nil. The report is always complete.
func Load() (*Config, Report, error) { return load(true) }

// LoadWithoutToken is Load for commands that never call the API and write no rows: the Export
// token, the registry and its secrets, the files of columns, and the key for hidden columns may
// be missing.
func LoadWithoutToken() (*Config, Report, error) { return load(false) }

func load(calls bool) (*Config, Report, error) {
	l := &loader{
		calls:   calls,
		environ: make(map[string]string),
		report:  Report{Warnings: []Finding{}, Faults: []Finding{}}, // lists in JSON even when there are none
		bad:     make(map[string]bool),
		known:   make(map[string]bool),
	}
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		l.environ[name] = value
	}
	c := new(Config)
	l.config(c)
	l.check(c)
	l.unknown(c)
	var faults []error
	for _, fault := range l.report.Faults {
		faults = append(faults, fault)
	}
	if faults != nil {
		return nil, l.report, errors.Join(faults...)
	}
	return c, l.report, nil
}

type loader struct {
	calls   bool // the API will be called
	environ map[string]string
	report  Report
	bad     map[string]bool // variables with a fault: rules between variables ignore them
	known   map[string]bool // all variables of these streams
}

func (l *loader) fault(variable, message string) {
	l.bad[variable] = true
	l.report.Faults = append(l.report.Faults, Finding{variable, message})
}

// unusable reports a fault of a variable that names a file.
func (l *loader) unusable(variable string, err error) {
	l.fault(variable, "names a file that can't be used: "+reason(err))
}

func (l *loader) warn(variable, message string) {
	l.report.Warnings = append(l.report.Warnings, Finding{variable, message})
}

// has reports whether the variable is set and not empty.
func (l *loader) has(variable string) bool { return l.environ[variable] != "" }

// rejectUnused reports those of the variables that are set, because they have no effect.
func (l *loader) rejectUnused(variables []string, message string) {
	for _, variable := range variables {
		if l.has(variable) {
			l.fault(variable, message)
		}
	}
}

// changed returns the variables, given with their defaults, that have another value.
func (l *loader) changed(defaults ...[2]string) (variables []string) {
	for _, d := range defaults {
		if l.environ[d[0]] != d[1] {
			variables = append(variables, d[0])
		}
	}
	return variables
}

// good reports whether none of the variables has a fault.
func (l *loader) good(variables ...string) bool {
	for _, variable := range variables {
		if l.bad[variable] {
			return false
		}
	}
	return true
}

// came records the origin of a variable's value, if that is not its own environment variable.
func (l *loader) came(variable, from string) {
	for i := range l.report.Variables {
		if v := &l.report.Variables[i]; v.Name == variable {
			v.Value, v.From = redacted, from
		}
	}
}

func (l *loader) config(c *Config) {
	before, after := c.sections()
	for _, section := range before {
		l.section(section, "", "", "")
	}
	var streams streamNames
	l.section(&streams, "", "", "")
	for _, name := range streams.Names {
		prefix := streamPrefix(name)
		stream := Stream{Name: name}
		l.section(&stream, prefix, name, cmp.Or(schema.Kind(l.environ[prefix+"EXPORT"]), schema.Event))
		c.Streams = append(c.Streams, stream)
	}
	for _, section := range after {
		l.section(section, "", "", "")
	}
}

func (l *loader) section(section any, prefix, stream string, kind schema.Kind) {
	for d, field := range declare(section, prefix, stream, kind) {
		l.known[d.Name] = true
		if d.Only != "" && d.Only != kind && l.good(prefix+"EXPORT") {
			if !l.has(d.Name) {
				continue
			}
			l.fault(d.Name, "is only for "+string(d.Only)+" streams, but "+prefix+"EXPORT is "+string(kind))
		} else {
			for _, message := range l.read(d, field) {
				l.fault(d.Name, message)
			}
		}
		l.report.Variables = append(l.report.Variables, l.listed(d, field))
	}
}

// listed is a variable for the report. A wrong URL or address may contain a password, so it is
// not repeated.
func (l *loader) listed(d declaration, field reflect.Value) Variable {
	v := Variable{Name: d.Name, Value: d.Default, Default: d.Default, Meaning: d.Meaning}
	value, set := l.environ[d.Name]
	switch {
	case set && (value != "" || d.Empty):
		v.Value, v.From = value, "environment"
	case d.Default != "":
		v.From = "default"
	}
	switch field.Interface().(type) {
	case schema.Secret:
		if v.Value != "" {
			v.Value = redacted
		}
	case URL, RegistryURLs, TokenURL, PageURL, Brokers:
		if l.bad[d.Name] && v.Value != "" {
			v.Value = "(not shown)"
		}
	}
	return v
}
