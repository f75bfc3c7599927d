package config_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"dfinery-kafka/cmd/config"
	"dfinery-kafka/schema"
)

// TestTripOn_Rules: schema.Rules decides what opens the breaker, so the declaration of
// BREAKER_TRIP_ON must agree with it: the default, and the other codes that it names.
func TestTripOn_Rules(t *testing.T) {
	t.Parallel()
	field, _ := reflect.TypeFor[config.Breaker]().FieldByName("TripOn")
	_, others, _ := strings.Cut(field.Tag.Get("desc"), ": ")
	named := map[schema.Counted][]string{schema.Always: strings.Split(field.Tag.Get("default"), ","), schema.OnRequest: strings.Split(others, ", ")}
	for _, rule := range schema.Rules() {
		for _, counted := range []schema.Counted{schema.Always, schema.OnRequest} {
			if got, want := slices.Contains(named[counted], string(rule.Code)), rule.Breaker == counted; got != want {
				t.Errorf("%s: in the default or the description of BREAKER_TRIP_ON %t, in schema.Rules %t", rule.Code, got, want)
			}
		}
	}
}
