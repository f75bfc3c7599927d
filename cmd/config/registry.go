package config

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
)

// Registry is the schema registry, for formats with registered schemas.
type Registry struct {
	URLs             RegistryURLs  `envconfig:"SCHEMA_REGISTRY_URL" example:"https://registry:8081" desc:"The schema registry (Confluent's API), comma-separated base URLs; required by the formats json-schema, avro and protobuf"`
	Username         string        `envconfig:"SCHEMA_REGISTRY_USERNAME" desc:"The user for the registry, with a password"`
	Password         schema.Secret `envconfig:"SCHEMA_REGISTRY_PASSWORD" desc:"The user's password"`
	PasswordFile     string        `envconfig:"SCHEMA_REGISTRY_PASSWORD_FILE" example:"/run/secrets/registry-password" desc:"A file with the password, as an alternative; read again for each request"`
	Token            schema.Secret `envconfig:"SCHEMA_REGISTRY_TOKEN" desc:"A bearer token for the registry"`
	TokenFile        string        `envconfig:"SCHEMA_REGISTRY_TOKEN_FILE" example:"/run/secrets/registry-token" desc:"A file with the bearer token, as an alternative; read again for each request"`
	CAFile           string        `envconfig:"SCHEMA_REGISTRY_TLS_CA_FILE" desc:"A PEM file with the CA certificates for the registry; unset: the system's"`
	CertFile         string        `envconfig:"SCHEMA_REGISTRY_TLS_CERT_FILE" desc:"A PEM file with the client certificate for the registry, with SCHEMA_REGISTRY_TLS_KEY_FILE"`
	KeyFile          string        `envconfig:"SCHEMA_REGISTRY_TLS_KEY_FILE" desc:"A PEM file of the client certificate's key"`
	TokenURL         TokenURL      `envconfig:"SCHEMA_REGISTRY_OAUTH_TOKEN_URL" desc:"Token endpoint for the registry, with OAuth 2.0 client credentials"`
	ClientID         string        `envconfig:"SCHEMA_REGISTRY_OAUTH_CLIENT_ID" desc:"The client's id at the token endpoint"`
	ClientSecret     schema.Secret `envconfig:"SCHEMA_REGISTRY_OAUTH_CLIENT_SECRET" desc:"The client's secret"`
	ClientSecretFile string        `envconfig:"SCHEMA_REGISTRY_OAUTH_CLIENT_SECRET_FILE" example:"/run/secrets/registry-client-secret" desc:"A file with the secret, as an alternative; read again for each token"`
	Scope            List          `envconfig:"SCHEMA_REGISTRY_OAUTH_SCOPE" desc:"The scopes to request, comma-separated; unset: none"`
	Timeout          time.Duration `envconfig:"SCHEMA_REGISTRY_TIMEOUT" default:"30s" min:"1ms" desc:"Maximum duration of a request to the registry"`
	Register         bool          `envconfig:"SCHEMA_REGISTRY_REGISTER" default:"true" desc:"Whether to register new schemas; false only looks them up, and halts a stream whose schema is missing"`
}

// RegistryURLs are base URLs of a schema registry.
type RegistryURLs []string

// Decode implements envconfig.Decoder. Its errors do not repeat the value, which
// may hold a password.
func (u *RegistryURLs) Decode(value string) error {
	*u = nil
	for text := range strings.SplitSeq(value, ",") {
		if text = strings.TrimRight(strings.TrimSpace(text), "/"); text == "" {
			continue
		}
		parsed, ok := webURL(text)
		switch {
		case !ok:
			return errors.New("holds a part that is not a URL such as https://registry:8081")
		case parsed.User != nil:
			return errors.New("must hold no user or password; set SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD")
		}
		*u = append(*u, text)
	}
	return nil
}

// readable reports whether the credentials can be read in transit to one of the URLs.
func (u RegistryURLs) readable() bool {
	for _, text := range u {
		if URL(text).Plain() {
			return true
		}
	}
	return false
}

// Columns are the declared types of a stream's columns.
type Columns []encoding.Declaration

// Decode implements envconfig.Decoder.
func (c *Columns) Decode(value string) error {
	list, err := encoding.ParseColumns(value)
	*c = list
	return err
}

// BadValue decides what happens to a cell that its type refuses.
type BadValue string

// The values of STREAM_X_BAD_VALUE.
const (
	BadValueDeadLetter BadValue = "dead-letter"
	BadValueNull       BadValue = "null"
)

// checkFormats checks the streams' formats, and reads the files of their columns.
func (l *loader) checkFormats(c *Config) {
	registered := ""
	for i := range c.Streams {
		s := &c.Streams[i]
		l.checkFormat(s)
		if s.Format.Registered() && registered == "" {
			registered = streamPrefix(s.Name) + "FORMAT"
		}
	}
	const urls = "SCHEMA_REGISTRY_URL"
	if registered != "" && len(c.Registry.URLs) == 0 && l.calls && l.good(urls) {
		l.fault(urls, "is required: "+registered+" is a format with schemas; without a registry use json-typed")
	}
	l.checkRegistry(&c.Registry)
}

func (l *loader) checkFormat(s *Stream) {
	prefix := streamPrefix(s.Name)
	for _, name := range s.Headers {
		if reservedHeader(name) {
			l.fault(prefix+"HEADERS", fmt.Sprintf("%q is a header that the connector uses for another purpose", name))
		}
	}
	if s.ColumnsFile != "" && l.calls {
		l.readColumns(s, prefix)
	}
	for _, d := range s.Columns {
		if s.Meta && (slices.Contains(schema.MetaColumns(), d.Column) || slices.Contains(schema.MetaColumns(), d.Name)) {
			l.fault(prefix+"COLUMNS", fmt.Sprintf("names %s, which %sMETA adds: give the field of that column another name, or set %sMETA=false", cmp.Or(d.Name, d.Column), prefix, prefix))
		}
	}
	if !l.good(prefix + "FORMAT") {
		return
	}
	if !s.Format.Typed() {
		l.rejectUnused(l.changed([2]string{prefix + "COLUMNS"}, [2]string{prefix + "COLUMNS_FILE"}, [2]string{prefix + "BAD_VALUE", string(BadValueDeadLetter)}),
			"is set, but "+prefix+"FORMAT is json, which has no types; set json-typed, json-schema, avro or protobuf")
	}
	if !s.Format.Registered() {
		l.rejectUnused(l.changed([2]string{prefix + "RECORD", "dfinery." + s.Name}, [2]string{prefix + "SUBJECT", string(encoding.SubjectTopic)}),
			fmt.Sprintf("is set, but %sFORMAT is %s, which has no schemas; set json-schema, avro or protobuf", prefix, s.Format))
	}
	if s.Format.Registered() && slices.Contains(strings.Split(s.Record, "."), "") {
		l.fault(prefix+"RECORD", fmt.Sprintf("%q is not a full name such as shop.Event: a part between its dots is empty", s.Record))
	}
	if s.Empty != schema.EmptyOmit && (s.Format == encoding.FormatAvro || s.Format == encoding.FormatProtobuf) && l.has(prefix+"EMPTY") {
		l.fault(prefix+"EMPTY", fmt.Sprintf("is set, but in the format %s an empty cell is always null", s.Format))
	}
}

func (l *loader) readColumns(s *Stream, prefix string) {
	name := prefix + "COLUMNS_FILE"
	if s.Columns != nil {
		l.fault(name, "is set together with "+prefix+"COLUMNS: keep only one of them")
		return
	}
	file, err := os.Open(s.ColumnsFile)
	if err != nil {
		l.unusable(name, err)
		return
	}
	defer file.Close()
	list, err := encoding.ReadColumns(file)
	if err != nil {
		l.fault(name, s.ColumnsFile+": "+err.Error())
		return
	}
	s.Columns = list
}

// checkRegistry allows one kind of credentials, which must be complete.
func (l *loader) checkRegistry(r *Registry) {
	const p = "SCHEMA_REGISTRY_"
	if !l.calls { // nor encodes: its secrets may be elsewhere
		*r = Registry{}
		return
	}
	l.quotable(p+"PASSWORD", &r.Password, r.PasswordFile)
	l.quotable(p+"TOKEN", &r.Token, r.TokenFile)
	l.quotable(p+"OAUTH_CLIENT_SECRET", &r.ClientSecret, r.ClientSecretFile)
	if len(r.URLs) == 0 && l.good(p+"URL") {
		l.rejectUnused([]string{p + "USERNAME", p + "PASSWORD", p + "PASSWORD_FILE", p + "TOKEN", p + "TOKEN_FILE", p + "OAUTH_TOKEN_URL", p + "TLS_CA_FILE", p + "TLS_CERT_FILE", p + "TLS_KEY_FILE"},
			"is set, but "+p+"URL is not")
		return
	}
	var ways []string
	for way, set := range map[string]bool{p + "USERNAME": r.Username != "", p + "TOKEN": r.Token != "", p + "OAUTH_TOKEN_URL": r.TokenURL != ""} {
		if set {
			ways = append(ways, way)
		}
	}
	if len(ways) > 1 {
		l.fault(p+"USERNAME", "more than one way to log in to the registry is set; keep one of "+p+"USERNAME, "+p+"TOKEN and "+p+"OAUTH_TOKEN_URL")
	}
	if (r.Username == "") != (r.Password == "") && l.good(p+"PASSWORD_FILE") {
		l.fault(p+"USERNAME", "and "+p+"PASSWORD belong together: only one of them is set")
	}
	if r.TokenURL != "" && (r.ClientID == "" || r.ClientSecret == "") && l.good(p+"OAUTH_CLIENT_SECRET_FILE") {
		l.fault(p+"OAUTH_CLIENT_ID", "and "+p+"OAUTH_CLIENT_SECRET are needed with "+p+"OAUTH_TOKEN_URL")
	}
	if (r.CertFile == "") != (r.KeyFile == "") {
		l.fault(p+"TLS_CERT_FILE", "and "+p+"TLS_KEY_FILE belong together: only one of them is set")
	} else if r.CertFile != "" {
		l.checkPair(p+"TLS_CERT_FILE", r.CertFile, p+"TLS_KEY_FILE", r.KeyFile)
	}
	if len(ways) > 0 && r.URLs.readable() {
		l.warn(p+"URL", "is not https: the credentials can be read in transit")
	}
}

// reservedHeader reports whether the connector uses the header's name itself.
func reservedHeader(name string) bool {
	return slices.Contains([]string{"id", "export", "op", "key_column", "content-type"}, name) || strings.HasPrefix(name, "ce_")
}
