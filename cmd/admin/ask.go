package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
)

// Readiness is the response of /readyz.
type Readiness struct {
	Ready bool   `json:"ready"`
	Parts []Part `json:"parts"`
}

// LocalURL returns the URL at which a server that listens on address is reachable from
// its own machine.
func LocalURL(address string) (string, error) {
	if address == "" {
		return "", errors.New("ADMIN_ADDR is empty: there is no admin server to ask")
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port), nil
}

// Ask requests /readyz of the instance whose admin server has that URL; standby: a
// standby counts as ready, too.
func Ask(ctx context.Context, url string, standby bool) (*Readiness, error) {
	url += "/readyz"
	if standby {
		url += "?standby=ok"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // no proxy: the instance is on this machine
	answer, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("reach the admin server: %w; does an instance run there, with this ADMIN_ADDR?", err)
	}
	defer answer.Body.Close()
	state := new(Readiness)
	if err := json.NewDecoder(io.LimitReader(answer.Body, 64<<10)).Decode(state); err != nil {
		return nil, fmt.Errorf("%s is not answered by dfinery-kafka: %s", url, answer.Status)
	}
	return state, nil
}
