package app_test

import (
	"net/http"
	"time"
)

// dated changes the header Date of all answers.
type dated struct {
	http.RoundTripper
	by time.Duration
}

func (d dated) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := d.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if at, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
		answer.Header.Set("Date", at.Add(d.by).UTC().Format(http.TimeFormat))
	}
	return answer, nil
}
