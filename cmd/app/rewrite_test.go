package app_test

import (
	"io"
	"net/http"
	"strings"
)

// rewrite changes the bodies of all answers.
type rewrite struct {
	http.RoundTripper
	change func(string) string
}

func (r rewrite) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := r.RoundTripper.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(strings.NewReader(r.change(string(body))))
	response.ContentLength = -1
	return response, nil
}
