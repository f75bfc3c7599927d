package exportapi

import (
	"io"
	"net/http"
	"slices"

	"dfinery-kafka/schema"
)

// EmptyAnswer is an answer without rows that may mean a day without events.
type EmptyAnswer string

// The values of DFINERY_EMPTY_DAY.
const (
	NoContent EmptyAnswer = "204"
	NotFound  EmptyAnswer = "404"
	Empty     EmptyAnswer = "empty" // status 200 and no body
)

// emptyAnswer classifies a failure as an answer without rows; empty for any other failure.
func emptyAnswer(f *schema.Failure) EmptyAnswer {
	switch {
	case f.Code == schema.EmptyBody && f.Status == http.StatusOK:
		return Empty
	case f.Code == schema.HTTPStatus(http.StatusNoContent):
		return NoContent
	case f.Code == schema.HTTPStatus(http.StatusNotFound):
		return NotFound
	}
	return ""
}

// orEmptyDay returns a body without rows if the failure means a day without events and the day
// may be one, else the failure.
func (k *call) orEmptyDay(f *schema.Failure) (*Body, error) {
	answer := emptyAnswer(f)
	switch {
	case answer == "":
		return nil, f
	case !slices.Contains(k.client.EmptyDay, answer):
		f.Detail = k.clean(f.Detail + "; if this is how the API answers for a day without events, set DFINERY_EMPTY_DAY=" + string(answer))
		return nil, f
	case !k.export.MayBeEmpty:
		f.Class, f.Empty = schema.Refused, true
		f.Detail = k.clean(k.export.String() + ": the API answered " + k.statusText + " without rows, which DFINERY_EMPTY_DAY accepts as a day without events " +
			"only if the day never had rows, and another day of the stream has some; check DFINERY_BASE_URL, DFINERY_SERVICE_ID and the stream's filters")
		return nil, f
	}
	k.timer.Stop()
	none, err := schema.NewColumns(nil)
	if err != nil {
		return nil, err
	}
	return &Body{call: k, columns: none, end: io.EOF}, nil
}
