package exportapi

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"

	"dfinery-kafka/schema"
)

// The members are in the order of the API's guide.
type requestJSON struct {
	Events              []string `json:"events,omitempty"`
	EventsCondition     string   `json:"events_condition_type,omitempty"`
	Properties          []string `json:"properties,omitempty"`
	PropertiesCondition string   `json:"properties_condition_type,omitempty"`
	IdentitiesCondition string   `json:"identities_condition_type,omitempty"` // documented only on the Korean page of the profile export
	Audience            string   `json:"audience,omitempty"`
	FromDate            string   `json:"from_date,omitempty"`
	ToDate              string   `json:"to_date,omitempty"`
}

// requestBody is the body of the request for e. According to the API's guide
// events_condition_type is required for events, properties_condition_type for profiles.
func requestBody(e schema.Export, toDateExclusive bool) string {
	var r requestJSON
	r.Properties, r.PropertiesCondition = condition(e.Filter.Properties, e.Filter.ExcludeProperties)
	if e.Kind == schema.UserProfile {
		r.Audience, r.IdentitiesCondition = e.Filter.Audience, e.Filter.Identities
	} else {
		r.Events, r.EventsCondition = condition(e.Filter.Events, e.Filter.ExcludeEvents)
		to := e.Day
		if toDateExclusive {
			to++
		}
		if e.Probe {
			to++
		}
		r.FromDate, r.ToDate = e.Day.String(), to.String()
		if r.Properties == nil {
			r.PropertiesCondition = ""
		}
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(r) // only strings: it can't fail
	return strings.TrimSuffix(text.String(), "\n")
}

func condition(include, exclude []string) (names []string, condition string) {
	switch {
	case len(include) > 0:
		return include, "include"
	case len(exclude) > 0:
		return exclude, "exclude"
	}
	return nil, "all"
}

// requestURL is the address of e's endpoint.
func requestURL(base, service string, kind schema.Kind) string {
	return strings.TrimRight(base, "/") + "/api/v1/export/" + string(kind) + "?service_id=" + url.QueryEscape(service)
}
