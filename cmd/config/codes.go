package config

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"dfinery-kafka/schema"
)

// Codes are failures that the breaker counts.
type Codes []schema.Code

// Decode implements envconfig.Decoder. http_5xx stands for every status of 500 to 599.
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
		case slices.Contains(countable(), code) || slices.Contains(serverErrors, code):
			*c = append(*c, code)
		default:
			hint := Nearest(item, texts(countable()), len(item)/3)
			if hint != "" {
				hint = "; is " + hint + " meant?"
			}
			faults = append(faults, fmt.Errorf("%q is no failure that the breaker can count%s", item, hint))
		}
	}
	return errors.Join(faults...)
}

// countable are the failures that say something about the API's health, beside http_500 to http_599.
func countable() []schema.Code {
	return []schema.Code{
		schema.UnknownError, schema.QueryError, schema.ClientConnectionClosed, schema.CutBody, schema.MaybeTorn,
		schema.Connection, schema.TLS, schema.Timeout, schema.NotCSV, schema.EmptyBody,
	}
}

func texts[T ~string](values []T) []string {
	list := make([]string, len(values))
	for i, value := range values {
		list[i] = string(value)
	}
	return list
}
