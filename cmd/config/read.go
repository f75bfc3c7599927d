package config

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/kelseyhightower/envconfig"

	"dfinery-kafka/schema"
)

// read sets the field to the variable's value or default, and returns all faults.
func (l *loader) read(d declaration, field reflect.Value) (faults []string) {
	value, set := l.environ[d.Name]
	if value == "" && !(set && d.Empty) {
		switch {
		case d.Needed:
			return []string{"is required: for example " + d.Example}
		case d.Default == "":
			return nil
		case set:
			return []string{"is empty: give it a value, or remove it for the default " + d.Default}
		}
		value = d.Default
	}
	if _, secret := field.Interface().(schema.Secret); !secret && wrapped(value) {
		return []string{wrappedFault}
	}
	if _, text := field.Interface().(string); text && strings.ContainsFunc(value, unicode.IsControl) {
		return []string{fmt.Sprintf("%q holds a control character: a file with Windows line ends, for one, leaves \\r at the end of each value", value)}
	}
	if len(d.OneOf) > 0 && !slices.Contains(d.OneOf, value) {
		return []string{fmt.Sprintf("%q is none of %s", value, strings.Join(d.OneOf, ", "))}
	}
	if err := process(d, field); err != nil {
		return explain(err, value)
	}
	if n, ok := field.Interface().(int); ok && strconv.Itoa(n) != value {
		return explain(&envconfig.ParseError{TypeName: "int"}, value) // envconfig reads 010 as octal
	}
	if fault := outside(d, field.Interface(), value); fault != "" {
		return []string{fault}
	}
	return nil
}

// process uses envconfig for a single field, since it stops at the first error. The name is
// given in full, without a prefix: with a prefix, envconfig would fall back to the bare name,
// and read TOPIC for STREAM_EVENTS_TOPIC. Even with an error the field has the valid parts of
// the value.
func process(d declaration, field reflect.Value) error {
	alone := reflect.New(reflect.StructOf([]reflect.StructField{{
		Name: "Value",
		Type: field.Type(),
		Tag:  reflect.StructTag(fmt.Sprintf("envconfig:%q default:%q", d.Name, d.Default)),
	}}))
	err := envconfig.Process("", alone.Interface())
	field.Set(alone.Elem().Field(0))
	return err
}

// explain returns messages that say how to correct the value. An envconfig.ParseError prints
// the value, which addresses and secrets must prevent, so only its parts are used.
func explain(err error, value string) []string {
	parse, ok := errors.AsType[*envconfig.ParseError](err)
	if !ok {
		return []string{err.Error()}
	}
	switch parse.TypeName {
	case "int":
		return []string{fmt.Sprintf("%q is not a whole number", value)}
	case "bool":
		return []string{fmt.Sprintf("%q is neither true nor false", value)}
	case "time.Duration":
		return []string{fmt.Sprintf("%q is not a duration such as 500ms, 30s or 1h30m", value)}
	}
	return messages(parse.Err)
}

// messages returns the messages of joined errors.
func messages(err error) []string {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []string{err.Error()}
	}
	var all []string
	for _, err := range joined.Unwrap() {
		all = append(all, messages(err)...)
	}
	return all
}

// outside describes how a number or a duration violates its limits.
func outside(d declaration, value any, text string) string {
	below := d.Min != "" && compare(value, d.Min) < 0
	above := d.Max != "" && compare(value, d.Max) > 0
	switch {
	case !below && !above:
		return ""
	case d.Max == "" && d.Min == "1ms":
		return text + " is not more than zero"
	case d.Max == "":
		return text + " is too little: at least " + d.Min
	}
	return text + " is out of range: " + d.Min + " to " + d.Max
}

// compare compares a number or a duration with a limit from a tag.
func compare(value any, limit string) int {
	switch value := value.(type) {
	case int:
		n, _ := strconv.Atoi(limit)
		return cmp.Compare(value, n)
	case time.Duration:
		bound, _ := time.ParseDuration(limit)
		return cmp.Compare(value, bound)
	}
	return 0
}
