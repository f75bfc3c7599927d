package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"slices"

	"dfinery-kafka/cmd/config"
	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
	"dfinery-kafka/schema/registry"
)

// NewRegistry returns a client of the configured schema registry; nil without one.
func NewRegistry(c *config.Registry, version string) (*registry.Client, error) {
	if len(c.URLs) == 0 {
		return nil, nil
	}
	tlsConfig, err := registryTLS(c)
	if err != nil {
		return nil, err
	}
	authorize, unauthorized := authorizer(c)
	return registry.New(registry.Config{
		URLs: c.URLs, Authorize: authorize, Unauthorized: unauthorized, TLS: tlsConfig, Timeout: c.Timeout, LookupOnly: !c.Register,
		UserAgent: "dfinery-kafka/" + version,
	})
}

// authorizer adds the credentials to a request. Secrets in files are read for
// each request, so that a new secret needs no restart. An access token is used until
// unauthorized is called; nil: nothing is kept between requests.
func authorizer(c *config.Registry) (authorize func(*http.Request) error, unauthorized func()) {
	switch {
	case c.Username != "":
		password := secret(c.Password, c.PasswordFile)
		return func(r *http.Request) error {
			text, err := password()
			r.SetBasicAuth(c.Username, text)
			return err
		}, nil
	case c.Token != "":
		token := secret(c.Token, c.TokenFile)
		return bearer(func(context.Context) (string, error) { return token() }), nil
	case c.TokenURL != "":
		credentials := &cluster.ClientCredentials{TokenURL: string(c.TokenURL), ClientID: c.ClientID, Secret: secret(c.ClientSecret, c.ClientSecretFile), Scopes: c.Scope}
		return bearer(credentials.Token), credentials.Forget
	}
	return nil, nil
}

func bearer(token func(context.Context) (string, error)) func(*http.Request) error {
	return func(r *http.Request) error {
		text, err := token(r.Context())
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+text)
		return nil
	}
}

// registryTLS returns nil if the system's defaults apply.
func registryTLS(c *config.Registry) (*tls.Config, error) {
	if c.CAFile == "" && c.CertFile == "" {
		return nil, nil
	}
	t := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("SCHEMA_REGISTRY_TLS_CA_FILE: %w", err)
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("SCHEMA_REGISTRY_TLS_CA_FILE: %s holds no certificate in PEM", c.CAFile)
		}
	}
	if c.CertFile != "" {
		t.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { // read for each handshake
			pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
			return &pair, err
		}
	}
	return t, nil
}

// values is the encoding of a stream's values in a format with types; nil for json.
func values(s *config.Stream, client *registry.Client) *transfer.Values {
	if !s.Format.Typed() {
		return nil
	}
	v := &transfer.Values{
		Options: encoding.Options{Format: s.Format, Empty: s.Empty, Columns: encoding.Columns{Declared: s.Columns, Variable: schema.StreamVariable(s.Name, "COLUMNS"), Private: hidden(s)}},
		Record:  s.Record, NullBadValues: s.BadValue == config.BadValueNull,
	}
	if s.Meta {
		v.Options.Columns.Declared = append(slices.Clone(s.Columns), encoding.Declaration{Column: schema.MetaDay, Type: encoding.Type{Kind: encoding.Date}})
	}
	if s.Format.Registered() {
		v.Registry, v.Subject = client, s.Subject.Name(string(s.Topic), s.Record)
	}
	return v
}

// hidden returns the columns whose cells are published as hash or mask.
func hidden(s *config.Stream) map[string]bool {
	texts := map[string]bool{}
	for _, column := range slices.Concat(s.Hash, s.Mask) {
		texts[column] = true
	}
	return texts
}
