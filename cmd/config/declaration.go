package config

import (
	"iter"
	"reflect"
	"strings"

	"dfinery-kafka/schema"
)

// declaration is one variable as declared by the tags of its field.
type declaration struct {
	Name    string // in full: STREAM_EVENTS_TOPIC
	Default string // empty: none
	Meaning string
	Example string      // shown where a value is required
	Needed  bool        // it is a fault if it is unset or empty
	Empty   bool        // empty differs from unset
	Only    schema.Kind // the only kind of stream that has it; empty: any
	OneOf   []string
	Min     string
	Max     string
}

// declare yields the variables of a section, a pointer to one of the structs of Config, with
// the fields that they set. Names get the prefix. A stream's defaults depend on its name and
// kind of export.
func declare(section any, prefix, stream string, kind schema.Kind) iter.Seq2[declaration, reflect.Value] {
	return func(yield func(declaration, reflect.Value) bool) {
		value := reflect.ValueOf(section).Elem()
		for i := range value.NumField() {
			tag := value.Type().Field(i).Tag
			if tag.Get("ignored") != "" {
				continue
			}
			d := declaration{
				Name:    prefix + tag.Get("envconfig"),
				Default: strings.Replace(tag.Get("default"), "dfinery.X", "dfinery."+stream, 1),
				Meaning: tag.Get("desc"),
				Example: tag.Get("example"),
				Needed:  tag.Get("needed") != "",
				Empty:   tag.Get("empty") != "",
				Only:    schema.Kind(tag.Get("only")),
				OneOf:   strings.Fields(tag.Get("oneof")),
				Min:     tag.Get("min"),
				Max:     tag.Get("max"),
			}
			if other := tag.Get("userprofile"); other != "" && kind == schema.UserProfile {
				d.Default = other
			}
			if !yield(d, value.Field(i)) {
				return
			}
		}
	}
}

// sections returns the sections of Config before and after the streams.
func (c *Config) sections() (before, after []any) {
	return []any{&c.DFINERY}, []any{&c.Kafka, &c.Registry, &c.Publish, &c.Privacy, &c.Breaker, &c.Retry, &c.Process}
}

// streamPrefix is the prefix of a stream's variables.
func streamPrefix(stream string) string { return schema.StreamVariable(stream, "") }

// declarations returns all variables, in the order of the README, for one stream with this name.
func declarations(stream string) []declaration {
	var list []declaration
	add := func(section any, prefix string) {
		for d := range declare(section, prefix, stream, schema.Event) {
			list = append(list, d)
		}
	}
	before, after := new(Config).sections()
	for _, section := range before {
		add(section, "")
	}
	add(new(streamNames), "")
	add(new(Stream), streamPrefix(stream))
	for _, section := range after {
		add(section, "")
	}
	return list
}
