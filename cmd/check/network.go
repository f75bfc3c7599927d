package check

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	"dfinery-kafka/cmd/config"
	"dfinery-kafka/pipeline/cluster"
)

// api reports whether the API's host answered.
func (c *Check) api(ctx context.Context) bool {
	k := c.Client.CheckHost(ctx)
	through := ""
	if k.Proxy != "" {
		through = ", through the proxy " + k.Proxy
	}
	if k.Err != nil {
		c.add(Fail, "api", fmt.Sprintf("%s%s: %s: %v", c.Config.DFINERY.BaseURL, through, k.Step, k.Err), apiRemedy(k.Step, k.Proxy != ""))
		return false
	}
	c.add(OK, "api", fmt.Sprintf("%s answers, %s%s", c.Config.DFINERY.BaseURL, k.Proto, through))
	if k.TLS != nil {
		c.certificate("api certificate", k.TLS)
	}
	if !k.Date.IsZero() {
		c.clock("api clock", k.Date, k.Asked, 2*time.Second) // the header's resolution is a second
	}
	return true
}

func apiRemedy(step string, proxied bool) string {
	switch {
	case proxied && step != "TLS":
		return "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY, and that the proxy allows this machine"
	case step == "DNS":
		return "check the host in DFINERY_BASE_URL and this machine's DNS resolver"
	case step == "TCP":
		return "check the host and port in DFINERY_BASE_URL, and firewalls in between"
	case step == "TLS":
		return "check the host in DFINERY_BASE_URL; a private CA goes into the file that SSL_CERT_FILE names"
	}
	return "check that DFINERY_BASE_URL is the API's address"
}

// certificateWarn is the remaining validity below which a certificate causes a warning.
const certificateWarn = 14 * 24 * time.Hour

func (c *Check) certificate(check string, state *tls.ConnectionState) {
	var ends time.Time
	for _, certificate := range state.PeerCertificates {
		if ends.IsZero() || certificate.NotAfter.Before(ends) {
			ends = certificate.NotAfter
		}
	}
	left := time.Until(ends)
	detail := fmt.Sprintf("%s, valid until %s (%d days)", tls.VersionName(state.Version), ends.UTC().Format(time.DateOnly), int(left.Hours()/24))
	if left < certificateWarn {
		c.add(Warn, check, detail, "renew the certificate")
		return
	}
	c.add(OK, check, detail)
}

// brokers reports whether one of the configured brokers was reached.
func (c *Check) brokers(ctx context.Context) bool {
	contacts := c.Cluster.Contact(ctx)
	failed := 0
	for _, contact := range contacts {
		if contact.Err != nil {
			failed++
		}
	}
	for _, contact := range contacts {
		check := "kafka " + contact.Addr
		if contact.Err == nil {
			c.add(OK, check, "answers "+c.login())
			if contact.TLS != nil {
				c.certificate(check+" certificate", contact.TLS)
			}
			continue
		}
		status := Fail
		if failed < len(contacts) && passing(contact.Err) {
			status = Warn // the cluster can be reached by another one
		}
		detail := contact.Err.Error()
		if connect, ok := errors.AsType[*cluster.ConnectError](contact.Err); ok {
			detail = connect.Detail()
		}
		c.add(status, check, detail, brokerRemedy(contact.Err))
	}
	if c.LegacyLogin != nil && c.LegacyLogin() {
		c.add(Warn, "kafka login", config.LegacyLogin, config.LegacyLoginRemedy)
	}
	return failed < len(contacts)
}

func passing(err error) bool {
	connect, ok := errors.AsType[*cluster.ConnectError](err)
	return ok && connect.Step == cluster.StepConnect
}

func (c *Check) login() string {
	k := &c.Config.Kafka
	how := "without TLS"
	if k.TLS {
		how = "with TLS"
		if k.CertFile != "" {
			how += " and a client certificate"
		}
	}
	if k.Mechanism != "" {
		return fmt.Sprintf("%s, logged in by %s", how, k.Mechanism)
	}
	return how + ", without a login"
}

func brokerRemedy(err error) string {
	connect, ok := errors.AsType[*cluster.ConnectError](err)
	if !ok {
		return "check KAFKA_BROKERS"
	}
	switch connect.Step {
	case cluster.StepTLS:
		return "check KAFKA_TLS, KAFKA_TLS_CA_FILE and the host names in KAFKA_BROKERS"
	case cluster.StepGreet:
		return "check KAFKA_TLS, KAFKA_TLS_CERT_FILE and the port in KAFKA_BROKERS"
	case cluster.StepSASL:
		return "check KAFKA_SASL_MECHANISM and the user or client and its secret"
	}
	return "check KAFKA_BROKERS, the DNS resolver and firewalls in between"
}

// advertised checks the brokers at the addresses that the cluster advertises, as the connector
// connects to those.
func (c *Check) advertised(ctx context.Context) bool {
	brokers, err := c.Cluster.Brokers(ctx)
	if err != nil {
		c.add(Fail, "kafka brokers", err.Error(), "check that the brokers are running")
		return false
	}
	var bad []string
	for _, b := range brokers {
		if b.Err != nil {
			bad = append(bad, b.Err.Error())
		}
	}
	switch {
	case len(bad) == 0:
		c.add(OK, "kafka brokers", fmt.Sprintf("%d, each reached at its advertised address", len(brokers)))
	default:
		c.add(Fail, "kafka brokers", fmt.Sprintf("%d of %d can't be reached at their advertised address: %s", len(bad), len(brokers), strings.Join(bad, "; ")),
			"allow connections to these addresses, or correct advertised.listeners of the brokers")
	}
	return len(bad) < len(brokers)
}
