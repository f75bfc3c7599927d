package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"io"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// journal notes what arrives at a server or a proxy, each once.
type journal struct {
	mu   sync.Mutex
	seen map[string]bool
}

func (j *journal) note(what string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.seen == nil {
		j.seen = map[string]bool{}
	}
	j.seen[what] = true
}

func (j *journal) list() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Sorted(maps.Keys(j.seen))
}

// authority signs certificates of servers.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string // PEM
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, file: filepath.Join(t.TempDir(), "ca.pem")}
	a.cert, a.key = a.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "a private CA"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotAfter: time.Now().Add(time.Hour)})
	if err := os.WriteFile(a.file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

// sign signs by itself what comes before there is an authority.
func (a *authority) sign(template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template.SerialNumber, template.NotBefore = big.NewInt(time.Now().UnixNano()), time.Now().Add(-48*time.Hour)
	parent, signer := template, key
	if a.cert != nil {
		parent, signer = a.cert, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

// serve is an HTTPS server with a certificate for api.dfinery.test and 127.0.0.1.
func (a *authority) serve(h http.Handler, http2 bool, until time.Time) *httptest.Server {
	a.t.Helper()
	cert, key := a.sign(&x509.Certificate{DNSNames: []string{"api.dfinery.test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, NotAfter: until})
	server := httptest.NewUnstartedServer(h)
	server.EnableHTTP2 = http2
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key}}}
	server.Config.ErrorLog = silent()
	server.StartTLS()
	a.t.Cleanup(server.Close)
	return server
}

// tunnel is a proxy that knows CONNECT alone, asks for the password if there is one, and leads to one address, whatever it is asked for.
type tunnel struct {
	to       string
	password string // of the user "me"
	journal  journal
}

func (p *tunnel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.journal.note(r.Method + " " + r.Host + " " + r.Header.Get("Authorization"))
	if p.password != "" && r.Header.Get("Proxy-Authorization") != "Basic "+base64.StdEncoding.EncodeToString([]byte("me:"+p.password)) {
		http.Error(w, "who are you?", http.StatusProxyAuthRequired)
		return
	}
	out, err := net.Dial("tcp", p.to)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer out.Close()
	in, _, err := http.NewResponseController(w).Hijack() // before the answer: what the client says after it must not get lost in the server
	if err != nil {
		return
	}
	defer in.Close()
	if _, err := io.WriteString(in, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
		return
	}
	ended := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{in, out}, {out, in}} {
		go func() {
			_, _ = io.Copy(way[0], way[1]) // either end may hang up
			ended <- struct{}{}
		}()
	}
	<-ended
}

// TestWayToTheAPI: TLS with an authority of the user's own, HTTP/2 and proxies work as with every Go program; what is wrong on the way is a
// dead letter that says so, and nobody on it ever sees the token or the proxy's password.
func TestWayToTheAPI(t *testing.T) {
	t.Parallel()
	type way struct {
		bench  *bench
		ca     *authority
		server *httptest.Server
		proxy  *tunnel
	}
	viaProxy := func(w *way, user string) {
		proxy := httptest.NewServer(w.proxy)
		t.Cleanup(proxy.Close)
		w.bench.environ["DFINERY_BASE_URL"], w.bench.environ["HTTPS_PROXY"] = "https://api.dfinery.test", "http://"+user+proxy.Listener.Addr().String()
	}
	tests := map[string]struct {
		http2, expired bool
		set            func(*way)
		proto          []string // what the API saw; empty: nothing reaches it
		proxied        []string
		letter, says   string
	}{
		"a private CA":  {proto: []string{"HTTP/1.1"}},
		"HTTP/2":        {http2: true, proto: []string{"HTTP/2.0"}},
		"an unknown CA": {letter: "tls", says: "unknown authority", set: func(w *way) { delete(w.bench.environ, "SSL_CERT_FILE") }},
		"expired":       {letter: "tls", says: "expired", expired: true},
		"another's name": {letter: "tls", says: "localhost", set: func(w *way) {
			w.bench.environ["DFINERY_BASE_URL"] = strings.Replace(w.server.URL, "127.0.0.1", "localhost", 1)
		}},
		"plain to TLS":    {letter: "http_400", says: "400", set: func(w *way) { w.bench.environ["DFINERY_BASE_URL"] = strings.Replace(w.server.URL, "https", "http", 1) }},
		"a proxy":         {http2: true, proto: []string{"HTTP/2.0"}, proxied: []string{"CONNECT api.dfinery.test:443 "}, set: func(w *way) { viaProxy(w, "") }},
		"a proxy's login": {proto: []string{"HTTP/1.1"}, proxied: []string{"CONNECT api.dfinery.test:443 "}, set: func(w *way) { w.proxy.password = canary; viaProxy(w, "me:"+canary+"@") }},
		"no login":        {letter: "connection", says: "Proxy Authentication Required", proxied: []string{"CONNECT api.dfinery.test:443 "}, set: func(w *way) { w.proxy.password = "other"; viaProxy(w, "me:"+canary+"@") }},
		"a dead proxy":    {letter: "connection", says: "refused", set: func(w *way) { viaProxy(w, ""); w.bench.environ["HTTPS_PROXY"] = "http://" + closedPort(t) }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &way{bench: newBench(t, &exporttest.Server{Data: exporttest.Data{Seed: 81, RowsPerDay: 500}}), ca: newAuthority(t)}
			var protos journal
			until := time.Now().Add(time.Hour)
			if test.expired {
				until = time.Now().Add(-time.Hour)
			}
			w.server = w.ca.serve(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
				protos.note(r.Proto)
				w.bench.api.ServeHTTP(out, r)
			}), test.http2, until)
			w.proxy = &tunnel{to: w.server.Listener.Addr().String()}
			w.bench.environ["DFINERY_BASE_URL"], w.bench.environ["SSL_CERT_FILE"], w.bench.environ["BREAKER_FAILURES"] = w.server.URL, w.ca.file, "2"
			if test.set != nil {
				test.set(w)
			}
			_, got := w.bench.run("run", "--once")
			if diff := cmp.Diff(test.proto, protos.list()); diff != "" {
				t.Errorf("what the API saw (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.proxied, w.proxy.journal.list()); diff != "" {
				t.Errorf("what the proxy saw (-want +got):\n%s", diff)
			}
			w.bench.ended(got, test.letter, test.says)
		})
	}
}

// ended checks a run that either published all that was served or, with a letter, nothing.
func (b *bench) ended(got result, letter, says string) {
	b.t.Helper()
	code := 0
	if letter != "" {
		code = 3
	}
	if got.Code != code {
		b.t.Errorf("exit %d, want %d", got.Code, code)
	}
	expect(b.t, got.Stderr, says)
	var want []schema.Code
	if letter != "" {
		want = []schema.Code{schema.Code(letter)}
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(b.lettersByCode()))); diff != "" {
		b.t.Errorf("dead letters (-want +got):\n%s", diff)
	}
	if letter == "" {
		compare(b.t, b.served(schema.Event), b.published("events"))
	} else if rows := b.published("events"); len(rows) > 0 {
		b.t.Errorf("published %v", rows)
	}
	if b.t.Failed() {
		b.t.Log(got.Stderr)
	}
}
