package exportapi

import (
	"io"
	"net/http"
	"slices"

	"dfinery-kafka/schema"
)

// EmptyAnswer is an answer without rows that may stand for a day without events.
type EmptyAnswer string

// The values of DFINERY_EMPTY_DAY.
const (
	NoContent EmptyAnswer = "204"
	NotFound  EmptyAnswer = "404"
	Empty     EmptyAnswer = "empty" // status 200 and no body
)

// emptyAnswer is what kind of answer without rows the failure is of; empty for any other failure.
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

// orEmptyDay makes a body without rows of a failure that stands for a day without events, if the day may be one.
func (k *call) orEmptyDay(f *schema.Failure) (*Body, error) {
	answer := emptyAnswer(f)
	switch {
	case answer == "":
		return nil, f
	case !slices.Contains(k.client.EmptyDay, answer):
		f.Detail = k.clean(f.Detail + "; if the API answers so for a day without events, set DFINERY_EMPTY_DAY=" + string(answer))
		return nil, f
	case !k.export.MayBeEmpty:
		f.Class, f.Empty = schema.Refused, true
		f.Detail = k.clean(k.export.String() + ": the API answered " + k.statusText + " without rows, which DFINERY_EMPTY_DAY takes for a day without events " +
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
