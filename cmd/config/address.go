package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// URL is the base URL of the API: a scheme, a host and an optional path, without a trailing slash.
type URL string

// Decode implements envconfig.Decoder. Its errors don't repeat the value, which may contain a
// password.
func (u *URL) Decode(value string) error {
	parsed, err := url.Parse(value)
	if err != nil || parsed.Host == "" || parsed.Opaque != "" {
		return errors.New("is not a URL such as https://openapi.dfinery.ai")
	}
	var faults []error
	for _, rule := range []struct {
		broken bool
		fault  string
	}{
		{parsed.Scheme != "https" && parsed.Scheme != "http", "must begin with https://"},
		{parsed.User != nil, "must not contain a user or password: set the token in DFINERY_EXPORT_TOKEN"},
		{parsed.RawQuery != "" || parsed.ForceQuery || parsed.Fragment != "" || strings.HasSuffix(value, "#"), "must end before ? and #: set the service in DFINERY_SERVICE_ID"},
		{strings.Contains(parsed.Path+"/", "/api/v1/"), "must end before /api/v1, which is added"},
		{parsed.Hostname() == "" || parsed.Port() != "" && !validPort(parsed.Port()), "has no valid host and port"},
	} {
		if rule.broken {
			faults = append(faults, errors.New(rule.fault))
		}
	}
	if faults == nil {
		*u = URL(strings.TrimRight(value, "/"))
	}
	return errors.Join(faults...)
}

// Plain reports whether requests, including the token, can be read in transit: http to a host
// other than this machine.
func (u URL) Plain() bool {
	parsed, err := url.Parse(string(u))
	return err == nil && parsed.Scheme == "http" && !loopback(parsed.Hostname())
}

// TokenURL is the endpoint that issues access tokens.
type TokenURL string

// Decode implements envconfig.Decoder. Its errors don't repeat the value, which may contain a
// password.
func (u *TokenURL) Decode(value string) error {
	parsed, ok := webURL(value)
	switch {
	case !ok:
		return errors.New("is not a URL such as https://login.example/oauth2/token")
	case parsed.User != nil:
		return errors.New("must hold no user or password: they go into the variables …_CLIENT_ID and …_CLIENT_SECRET")
	}
	*u = TokenURL(value)
	return nil
}

// Plain reports whether the secret can be read in transit: http to a host other than this machine.
func (u TokenURL) Plain() bool { return URL(u).Plain() }

// PageURL is the address of a web page.
type PageURL string

// Decode implements envconfig.Decoder.
func (u *PageURL) Decode(value string) error {
	parsed, ok := webURL(value)
	switch {
	case !ok || parsed.User != nil:
		return errors.New("is not a URL such as https://wiki.example/dfinery-runbook")
	case parsed.Fragment != "" || strings.HasSuffix(value, "#"):
		return errors.New("must end before #: the alert's name is added")
	}
	*u = PageURL(value)
	return nil
}

// Addr is an address to listen on: host:port, :port for all interfaces, or empty for none.
type Addr string

// Decode implements envconfig.Decoder.
func (a *Addr) Decode(value string) error {
	if value != "" {
		_, port, err := net.SplitHostPort(value)
		if err != nil || port != "0" && !validPort(port) {
			return fmt.Errorf("%q is not of the form host:port or :port, such as :8080", value)
		}
	}
	*a = Addr(value)
	return nil
}

// webURL parses an address of http or https.
func webURL(text string) (parsed *url.URL, ok bool) {
	parsed, err := url.Parse(text)
	return parsed, err == nil && parsed.Hostname() != "" && (parsed.Scheme == "https" || parsed.Scheme == "http") && (parsed.Port() == "" || validPort(parsed.Port()))
}

func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

func validHost(host string) bool {
	return host != "" && !strings.ContainsFunc(host, func(c rune) bool { return c <= ' ' || c > '~' || c == '/' })
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}
