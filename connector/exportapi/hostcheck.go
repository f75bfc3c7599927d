package exportapi

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"time"
)

// HostCheck is the result of a request to the API's host that is not an export: it sends no
// token and uses no quota.
type HostCheck struct {
	Step  string               // the last step started: proxy, DNS, TCP, TLS or HTTP
	Proxy string               // HOST:PORT of the environment's proxy; empty without one
	TLS   *tls.ConnectionState // with the API's host; nil if it was not reached, or for plain http
	Proto string               // HTTP/1.1 or HTTP/2.0
	Date  time.Time            // the answer's; zero without one
	Asked time.Time            // local time in the middle between request and answer
	Err   error
}

// CheckHost sends a HEAD request for the root of the API's host.
func (c *Client) CheckHost(ctx context.Context) HostCheck {
	ctx, cancel := context.WithTimeout(ctx, min(cmp.Or(c.HeaderTimeout, DefaultHeaderTimeout), hostCheckTimeout))
	defer cancel()
	k := HostCheck{Step: "DNS"}
	target, err := url.Parse(c.BaseURL)
	if err != nil {
		k.Err = errBaseURL
		return k
	}
	if t, ok := c.roundTripper().(*http.Transport); ok && t.Proxy != nil {
		proxy, err := t.Proxy(&http.Request{URL: target})
		if err != nil {
			k.Step, k.Err = "proxy", errors.New("the environment's proxy is not a valid URL")
			return k
		}
		if proxy != nil {
			k.Proxy = proxy.Host
		}
	}
	var mu sync.Mutex // the transport's goroutines may outlive the call
	begin := func(step string) {
		mu.Lock()
		defer mu.Unlock()
		k.Step = step
	}
	trace := &httptrace.ClientTrace{
		ConnectStart:      func(_, _ string) { begin("TCP") },
		TLSHandshakeStart: func() { begin("TLS") },
		GotConn:           func(httptrace.GotConnInfo) { begin("HTTP") },
	}
	request, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), http.MethodHead, target.JoinPath("/").String(), nil)
	if err != nil {
		k.Err = errBaseURL
		return k
	}
	request.Header.Set("User-Agent", "dfinery-kafka/"+c.Version)
	began := time.Now()
	response, err := c.roundTripper().RoundTrip(request)
	mu.Lock()
	defer mu.Unlock()
	if err != nil {
		k.Err = withoutURL(err)
		return k
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, maxHeaderBytes) // an answer to HEAD should have no body
	k.Asked = began.Add(time.Since(began) / 2)
	k.Proto, k.TLS = response.Proto, response.TLS
	k.Date, _ = http.ParseTime(response.Header.Get("Date"))
	return k
}

const hostCheckTimeout = 20 * time.Second

// withoutURL removes the URL from an error, as it may contain the password of a proxy.
func withoutURL(err error) error {
	if at, ok := errors.AsType[*url.Error](err); ok {
		return at.Err
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return dns
	}
	return err
}
