package config

import (
	"net"
	"net/url"
	"slices"
	"strings"
)

// The variables for HTTP proxies that net/http.ProxyFromEnvironment reads.
const (
	httpsProxyVar = "HTTPS_PROXY"
	httpProxyVar  = "HTTP_PROXY"
	noProxyVar    = "NO_PROXY"
	allProxyVar   = "ALL_PROXY"
)

// checkProxies parses the proxy variables more strictly than net/http, which ignores a proxy
// that it can't parse, so that the call with its token would be made directly. No message
// repeats a value, which may contain a password.
func (l *loader) checkProxies() {
	proxied := false
	for _, name := range []string{httpsProxyVar, httpProxyVar} {
		variable := l.eitherCase(name)
		value := l.environ[variable]
		if value == "" {
			continue
		}
		proxied = true
		switch {
		case wrapped(value):
			l.fault(variable, wrappedFault)
		default:
			if message := wrongProxy(value); message != "" {
				l.fault(variable, message)
			}
		}
	}
	if variable := l.eitherCase(noProxyVar); l.has(variable) {
		l.checkNoProxy(variable)
	}
	if variable := l.eitherCase(allProxyVar); l.has(variable) && !proxied {
		l.warn(variable, "has no effect, calls are made without a proxy: set "+httpsProxyVar+", and "+httpProxyVar+" for plain http")
	}
}

// eitherCase is the name in effect: the one in capitals unless it is unset or empty.
func (l *loader) eitherCase(name string) string {
	if lower := strings.ToLower(name); !l.has(name) && l.has(lower) {
		return lower
	}
	return name
}

const (
	proxyForm    = "is not a proxy's address such as http://proxy.example:3128 or http://user:password@proxy.example:3128"
	proxyEscapes = proxyForm + ". Percent-encode special characters in the user and the password: % as %25, # as %23, / as %2F, ? as %3F, @ as %40, a blank as %20"
)

// wrongProxy returns what is wrong with a proxy's address; empty if it is valid.
func wrongProxy(value string) string {
	form := proxyForm
	if strings.Contains(value, "@") {
		form = proxyEscapes
	}
	if !strings.Contains(value, "://") {
		value = "http://" + value
	}
	proxy, err := url.Parse(value)
	if err != nil || proxy.Opaque != "" || proxy.Path != "" && proxy.Path != "/" || proxy.RawQuery != "" || proxy.ForceQuery || strings.Contains(value, "#") {
		return form
	}
	if !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, proxy.Scheme) {
		return "must begin with http://, https://, socks5:// or socks5h://"
	}
	if !validHost(proxy.Hostname()) || proxy.Port() != "" && !validPort(proxy.Port()) {
		return form
	}
	return ""
}

// checkNoProxy finds entries that can't match any host, whose requests would go through the proxy.
func (l *loader) checkNoProxy(variable string) {
	if wrapped(l.environ[variable]) {
		l.fault(variable, wrappedFault)
		return
	}
	for entry := range strings.SplitSeq(l.environ[variable], ",") {
		entry = strings.TrimSpace(entry)
		switch {
		case entry == "" || entry == "*":
		case !validNoProxy(entry):
			l.fault(variable, "contains an entry that is neither a host, a domain, an address nor a network such as 10.0.0.0/8; entries are comma-separated, without http://")
			return
		case strings.Contains(strings.TrimPrefix(entry, "*."), "*"):
			l.warn(variable, "contains an entry with * that matches no host: use * alone or before a domain, as in *.example.com")
		}
	}
}

func validNoProxy(entry string) bool {
	if strings.Contains(entry, "/") {
		_, _, err := net.ParseCIDR(entry)
		return err == nil
	}
	if net.ParseIP(strings.TrimSuffix(strings.TrimPrefix(entry, "["), "]")) != nil {
		return true
	}
	host, port, err := net.SplitHostPort(entry)
	if err != nil {
		return !strings.ContainsAny(entry, ":@") && validHost(entry)
	}
	return validHost(host) && validPort(port)
}
