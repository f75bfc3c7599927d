package config

import (
	"errors"
	"fmt"
	"net/http"

	"dfinery-kafka/schema"
)

// Codes are failures that the breaker counts.
type Codes []schema.Code

// Decode implements envconfig.Decoder. http_5xx means every status of 500 to 599.
func (c *Codes) Decode(value string) error {
	var list List
	faults := []error{list.Decode(value)}
	if len(list) == 0 {
		return errors.New("names no failure: for example unknown_error,query_error")
	}
	*c = nil
	serverErrors := make(Codes, 0, 100)
	for status := http.StatusInternalServerError; status < 600; status++ {
		serverErrors = append(serverErrors, schema.HTTPStatus(status))
	}
	for _, item := range list {
		code := schema.Code(item)
		switch {
		case item == "http_5xx":
			*c = append(*c, serverErrors...)
		case schema.RuleOf(code).Breaker != schema.Never:
			*c = append(*c, code)
		default:
			hint := schema.Nearest(item, texts(countable()), len(item)/3)
			if hint != "" {
				hint = "; did you mean " + hint + "?"
			}
			faults = append(faults, fmt.Errorf("%q is not a failure that the breaker can count%s", item, hint))
		}
	}
	return errors.Join(faults...)
}

// countable returns the failures that say something about the API's health, besides http_500 to
// http_599.
func countable() []schema.Code {
	var codes []schema.Code
	for _, rule := range schema.Rules() {
		if rule.Breaker != schema.Never {
			codes = append(codes, rule.Code)
		}
	}
	return codes
}

func texts[T ~string](values []T) []string {
	list := make([]string, len(values))
	for i, value := range values {
		list[i] = string(value)
	}
	return list
}
