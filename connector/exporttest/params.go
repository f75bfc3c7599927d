package exporttest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"time"

	"dfinery-kafka/schema"
)

// parameters is the JSON body of a call.
type parameters struct {
	EventsConditionType     *string  `json:"events_condition_type"`
	Events                  []string `json:"events"`
	PropertiesConditionType *string  `json:"properties_condition_type"`
	Properties              []string `json:"properties"`
	FromDate                *string  `json:"from_date"`
	ToDate                  *string  `json:"to_date"`
	Audience                *string  `json:"audience"`
	IdentitiesConditionType *string  `json:"identities_condition_type"`
}

// maxParameters limits the body of a call, in bytes.
const maxParameters = 1 << 20

var errInvalid = errors.New("invalid parameter")

// readBody reads the call's body, so that net/http notices when the client goes away.
func readBody(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxParameters+1))
	if err == nil && len(body) > maxParameters {
		err = errInvalid
	}
	return body, err
}

// query parses a call's parameters. It is stricter than the API's pages: an unknown member, one
// of the other kind of export, a list without its condition, and a condition without its list
// are invalid, too.
func (s *Server) query(r *http.Request, kind schema.Kind, body []byte, now time.Time) (Query, schema.Code) {
	var p parameters
	if mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || mediaType != "application/json" {
		return Query{}, schema.InvalidParameter
	}
	if err := decodeStrictly(body, &p); err != nil {
		return Query{}, schema.InvalidParameter
	}
	q := Query{Kind: kind, Now: now}
	var err error
	if q.Filter.Properties, q.Filter.ExcludeProperties, err = condition(p.PropertiesConditionType, p.Properties, kind == schema.UserProfile); err != nil {
		return Query{}, schema.InvalidParameter
	}
	if kind == schema.UserProfile {
		return s.profileQuery(q, p)
	}
	if q.Filter.Events, q.Filter.ExcludeEvents, err = condition(p.EventsConditionType, p.Events, true); err != nil {
		return Query{}, schema.InvalidParameter
	}
	return s.eventQuery(q, p)
}

func (s *Server) profileQuery(q Query, p parameters) (Query, schema.Code) {
	if p.EventsConditionType != nil || p.Events != nil || p.FromDate != nil || p.ToDate != nil {
		return Query{}, schema.InvalidParameter
	}
	if p.Audience != nil {
		if *p.Audience == "" {
			return Query{}, schema.InvalidParameter
		}
		q.Filter.Audience = *p.Audience
	}
	if p.IdentitiesConditionType != nil {
		q.Filter.Identities = *p.IdentitiesConditionType
	}
	if !slices.Contains([]string{"", "all", "include", "exclude"}, q.Filter.Identities) {
		return Query{}, schema.InvalidParameter
	}
	q.HideIdentities = s.IdentitiesOnRequest && q.Filter.Identities != "all"
	q.From = schema.DayOf(q.Now, s.Data.location())
	q.To = q.From
	return q, ""
}

func (s *Server) eventQuery(q Query, p parameters) (Query, schema.Code) {
	if p.Audience != nil || p.IdentitiesConditionType != nil || p.FromDate == nil || p.ToDate == nil {
		return Query{}, schema.InvalidParameter
	}
	var err1, err2 error
	q.From, err1 = schema.ParseDay(*p.FromDate)
	q.To, err2 = schema.ParseDay(*p.ToDate)
	if err1 != nil || err2 != nil || q.To < q.From {
		return Query{}, schema.InvalidParameter
	}
	if s.ToDateExclusive {
		q.To--
	}
	today := schema.DayOf(q.Now, s.Data.location())
	last := today
	if s.RefuseToday {
		last--
	}
	if q.From < today-schema.Day(cmp.Or(s.Reach, 30)) || q.From > last {
		return Query{}, schema.ExceedDateRangeLimit
	}
	return q, ""
}

// condition splits a condition and its list into the list to include and the list to exclude.
func condition(kind *string, list []string, required bool) (include, exclude []string, err error) {
	switch {
	case kind == nil && (required || list != nil):
		return nil, nil, errInvalid
	case kind == nil:
		return nil, nil, nil
	case *kind == "all" && len(list) == 0:
		return nil, nil, nil
	case *kind == "include" && len(list) > 0:
		return list, nil, nil
	case *kind == "exclude" && len(list) > 0:
		return nil, list, nil
	}
	return nil, nil, errInvalid
}

func decodeStrictly(body []byte, p *parameters) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(p); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errInvalid
	}
	return nil
}
