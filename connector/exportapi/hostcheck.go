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

// HostCheck is how the API's host answered a request that is not an export: it carries no token and costs no quota.
type HostCheck struct {
	Step  string               // the last one begun: proxy, DNS, TCP, TLS or HTTP
	Proxy string               // HOST:PORT of the environment's proxy; empty without one
	TLS   *tls.ConnectionState // of the API's host; nil when it was not reached, or by plain http
	Proto string               // HTTP/1.1 or HTTP/2.0
	Date  time.Time            // the answer's; zero without one
	Asked time.Time            // when the answer came, by our clock, in the middle of the request
	Err   error
}

// CheckHost asks the API's host for the headers of its root.
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
	_, _ = io.CopyN(io.Discard, response.Body, maxHeaderBytes) // what a HEAD's answer may not have
	k.Asked = began.Add(time.Since(began) / 2)
	k.Proto, k.TLS = response.Proto, response.TLS
	k.Date, _ = http.ParseTime(response.Header.Get("Date"))
	return k
}

const hostCheckTimeout = 20 * time.Second

// withoutURL drops an error's address, which may hold the password of a proxy.
func withoutURL(err error) error {
	if at, ok := errors.AsType[*url.Error](err); ok {
		return at.Err
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return dns
	}
	return err
}
