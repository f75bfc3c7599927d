package config

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"
	"time"

	"dfinery-kafka/schema"
)

// check applies the rules between variables, each only if the variables it needs are valid.
func (l *loader) check(c *Config) {
	l.checkSource(&c.DFINERY)
	zone := time.UTC // only if DFINERY_TIMEZONE is wrong
	if c.DFINERY.Timezone.Location != nil {
		zone = c.DFINERY.Timezone.Location
	}
	today := schema.DayOf(time.Now(), zone)
	for i := range c.Streams {
		l.checkStream(&c.Streams[i], today)
	}
	l.checkCalls(c)
	l.checkTopics(c)
	l.checkTLS(&c.Kafka)
	l.checkLogin(&c.Kafka)
	l.checkFormats(c)
	l.checkPrivacy(c)
	l.checkProxies()
	for _, name := range []string{"SSL_CERT_FILE", "SSL_CERT_DIR"} { // crypto/x509 passes over what it can't open
		if wrapped(l.environ[name]) {
			l.fault(name, wrappedFault)
		}
	}
	if c.Kafka.ReplicationFactor == 0 && l.good("KAFKA_REPLICATION_FACTOR") {
		l.fault("KAFKA_REPLICATION_FACTOR", "0 replicas are not possible: set 1 or more, or -1 for the brokers' default")
	}
	if c.Publish.StandbyAfter < 2*c.Publish.OwnerHeartbeat && l.good("STANDBY_AFTER", "OWNER_HEARTBEAT") {
		l.fault("STANDBY_AFTER", fmt.Sprintf("%v is less than twice OWNER_HEARTBEAT (%v): one late heartbeat would cost the owner its role",
			c.Publish.StandbyAfter, c.Publish.OwnerHeartbeat))
	}
	if c.Breaker.MaxOpenFor < c.Breaker.OpenFor && l.good("BREAKER_MAX_OPEN_FOR", "BREAKER_OPEN_FOR") {
		l.fault("BREAKER_MAX_OPEN_FOR", fmt.Sprintf("%v is less than BREAKER_OPEN_FOR (%v)", c.Breaker.MaxOpenFor, c.Breaker.OpenFor))
	}
	if c.Retry.MaxBackoff < c.Retry.Backoff && l.good("RETRY_MAX_BACKOFF", "RETRY_BACKOFF") {
		l.fault("RETRY_MAX_BACKOFF", fmt.Sprintf("%v is less than RETRY_BACKOFF (%v)", c.Retry.MaxBackoff, c.Retry.Backoff))
	}
	if c.Process.AdminPprof && c.Process.AdminAddr == "" && l.good("ADMIN_ADDR") {
		l.warn("ADMIN_PPROF", "has no effect: ADMIN_ADDR is empty")
	}
}

func (l *loader) checkSource(d *DFINERY) {
	const token = "DFINERY_EXPORT_TOKEN"
	if !l.calls {
		return
	}
	from := l.secret(token, &d.Token, d.TokenFile)
	d.Token = schema.Secret(strings.TrimSpace(d.Token.Reveal()))
	switch {
	case !l.good(from):
	case d.Token == "":
		l.fault(token, "is required, or "+token+"_FILE")
	case from != token && wrongToken(d.Token.Reveal()) != "":
		l.fault(from, "names a file that can't be used: "+d.TokenFile+" "+wrongToken(d.Token.Reveal()))
	case wrapped(d.Token.Reveal()):
		l.fault(token, wrappedFault)
	case wrongToken(d.Token.Reveal()) != "":
		l.fault(token, wrongToken(d.Token.Reveal()))
	}
	if d.BaseURL.Plain() {
		l.warn("DFINERY_BASE_URL", "is not https: the token and all rows can be read in transit")
	}
}

// checkTLS reads the files like a connection does, so that a wrong file is found at the start,
// not at the first handshake.
func (l *loader) checkTLS(k *Kafka) {
	const ca, cert, key = "KAFKA_TLS_CA_FILE", "KAFKA_TLS_CERT_FILE", "KAFKA_TLS_KEY_FILE"
	if !k.TLS && l.good("KAFKA_TLS") {
		l.rejectUnused([]string{ca, cert, key}, "is set, but KAFKA_TLS is not true")
		return
	}
	if k.CAFile != "" {
		pem, err := os.ReadFile(k.CAFile)
		if err != nil {
			l.unusable(ca, err)
		} else if !x509.NewCertPool().AppendCertsFromPEM(pem) {
			l.fault(ca, "names a file without a PEM certificate: "+k.CAFile)
		}
	}
	switch {
	case k.CertFile != "" && k.KeyFile == "":
		l.fault(key, "is required together with "+cert)
	case k.CertFile == "" && k.KeyFile != "":
		l.fault(cert, "is required together with "+key)
	case k.CertFile != "":
		l.checkPair(cert, k.CertFile, key, k.KeyFile)
	}
}

func (l *loader) checkPair(cert, certFile, key, keyFile string) {
	certPEM, certErr := os.ReadFile(certFile)
	if certErr != nil {
		l.unusable(cert, certErr)
	}
	keyPEM, keyErr := os.ReadFile(keyFile)
	if keyErr != nil {
		l.unusable(key, keyErr)
	}
	if certErr != nil || keyErr != nil {
		return
	}
	if _, err := tls.X509KeyPair(certPEM, keyPEM); err != nil {
		l.fault(cert, "does not match "+key+": "+reason(err))
	}
}
