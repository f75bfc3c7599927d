package cluster_test

import (
	"errors"
	"strings"
	"testing"

	"dfinery-kafka/pipeline/cluster"
)

func TestNewReportsAllFaults(t *testing.T) {
	ca := newAuthority(t)
	certFile, keyFile := ca.client(t)
	brokers := []string{"127.0.0.1:9092"}
	for _, test := range []struct {
		name string
		cfg  cluster.Config
		says []string // parts of the error; empty: no error
	}{
		{"good", cluster.Config{Brokers: brokers, TLS: &cluster.TLS{CAFile: ca.file, CertFile: certFile, KeyFile: keyFile}}, nil},
		{"no brokers", cluster.Config{}, []string{"no Kafka brokers"}},
		{"not an address", cluster.Config{Brokers: []string{"a", ":9092", "b:", "c:1,d:2"}}, []string{`"a"`, `":9092"`, `"b:"`, `"c:1,d:2"`}},
		{"several", cluster.Config{Brokers: []string{"a"}, TLS: &cluster.TLS{CAFile: "/nowhere"}, SASL: &cluster.SASL{Mechanism: "GSSAPI", Password: fixed(password)}},
			[]string{`"a"`, "/nowhere", `"GSSAPI" is none of PLAIN`}},
		{"CA without a certificate", cluster.Config{Brokers: brokers, TLS: &cluster.TLS{CAFile: keyFile}}, []string{"contains no PEM certificate"}},
		{"certificate without a key", cluster.Config{Brokers: brokers, TLS: &cluster.TLS{CertFile: certFile}}, []string{certFile}},
		{"no password", cluster.Config{Brokers: brokers, SASL: &cluster.SASL{Mechanism: "PLAIN"}}, []string{"needs a password"}},
		{"an unreadable password", cluster.Config{Brokers: brokers, SASL: &cluster.SASL{Mechanism: "PLAIN", Password: func() (string, error) { return "", errors.New("no file") }}}, []string{"no file"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := cluster.New(test.cfg)
			if err == nil {
				c.Close()
				if test.says != nil {
					t.Errorf("no error, want %q", test.says)
				}
				return
			}
			if test.says == nil {
				t.Fatal(err)
			}
			for _, part := range test.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not contain %q", err, part)
				}
			}
			if strings.Contains(err.Error(), password) || strings.Contains(err.Error(), `\u0007`) {
				t.Errorf("the error contains the password: %v", err)
			}
		})
	}
}
