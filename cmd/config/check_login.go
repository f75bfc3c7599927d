package config

import (
	"slices"
	"strings"

	"dfinery-kafka/schema"
)

// The variables of a login.
const (
	mechanismVar = "KAFKA_SASL_MECHANISM"
	userVar      = "KAFKA_SASL_USERNAME"
	passwordVar  = "KAFKA_SASL_PASSWORD"
	tokenURLVar  = "KAFKA_SASL_OAUTH_TOKEN_URL"
	clientVar    = "KAFKA_SASL_OAUTH_CLIENT_ID"
	secretVar    = "KAFKA_SASL_OAUTH_CLIENT_SECRET"
	scopeVar     = "KAFKA_SASL_OAUTH_SCOPE"
)

// checkLogin allows only the variables of the configured mechanism.
func (l *loader) checkLogin(k *Kafka) {
	l.password(passwordVar, &k.Password, k.PasswordFile)
	l.password(secretVar, &k.ClientSecret, k.ClientSecretFile)
	byPassword := []string{userVar, passwordVar, passwordVar + "_FILE"}
	byToken := []string{tokenURLVar, clientVar, secretVar, secretVar + "_FILE", scopeVar}
	mechanism := k.Mechanism
	if !l.good(mechanismVar) {
		if mechanism = l.intendedMechanism(slices.ContainsFunc(byPassword, l.has), slices.ContainsFunc(byToken, l.has)); mechanism == "" {
			return
		}
	}
	switch mechanism {
	case "":
		l.rejectUnused(byPassword, "is set, but "+mechanismVar+" is not: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
		l.rejectUnused(byToken, "is set, but "+mechanismVar+" is not: OAUTHBEARER")
	case OAuthBearer:
		l.rejectUnused(byPassword, "is set, but "+mechanismVar+" is OAUTHBEARER, which uses "+strings.Join([]string{tokenURLVar, clientVar, secretVar}, ", "))
		l.checkToken(k)
	default:
		l.rejectUnused(byToken, "is set, but "+mechanismVar+" is "+string(mechanism)+", which uses "+userVar+" and "+passwordVar)
		l.checkPassword(k)
	}
}

// intendedMechanism guesses the mechanism of a login without a valid one, from the misspelt
// name or from the other variables. If that is not possible, it reports a fault and returns an
// empty mechanism.
func (l *loader) intendedMechanism(passwords, tokens bool) Mechanism {
	mechanisms := []string{string(Plain), string(ScramSHA256), string(ScramSHA512), string(OAuthBearer)}
	if near := schema.Nearest(strings.ToUpper(l.environ[mechanismVar]), mechanisms, 3); near != "" {
		return Mechanism(near)
	}
	switch {
	case tokens && !passwords:
		return OAuthBearer
	case passwords && !tokens:
		return ScramSHA512
	}
	l.fault(mechanismVar, "must be set: for "+userVar+" and "+passwordVar+" to PLAIN or SCRAM-SHA-…, or to OAUTHBEARER for "+strings.Join([]string{tokenURLVar, clientVar, secretVar}, ", "))
	return ""
}

func (l *loader) checkPassword(k *Kafka) {
	if k.Username == "" && l.good(userVar) {
		l.fault(userVar, "is required with "+mechanismVar)
	}
	if k.Password == "" && l.good(passwordVar+"_FILE") {
		l.fault(passwordVar, "is required with "+mechanismVar+", or "+passwordVar+"_FILE")
	}
	if k.Mechanism == Plain && l.readable(k) {
		l.warn(mechanismVar, "is PLAIN without KAFKA_TLS: the password can be read in transit")
	}
}

func (l *loader) checkToken(k *Kafka) {
	const needed = "is required with " + mechanismVar + "=OAUTHBEARER"
	if k.TokenURL == "" && l.good(tokenURLVar) {
		l.fault(tokenURLVar, needed)
	}
	if k.ClientID == "" && l.good(clientVar) {
		l.fault(clientVar, needed)
	}
	if k.ClientSecret == "" && l.good(secretVar+"_FILE") {
		l.fault(secretVar, needed+", or "+secretVar+"_FILE")
	}
	if k.TokenURL.Plain() && l.good(tokenURLVar) {
		l.warn(tokenURLVar, "is not https: the client's secret and the tokens can be read in transit")
	}
	if l.readable(k) {
		l.warn(mechanismVar, "is OAUTHBEARER without KAFKA_TLS: the tokens can be read in transit")
	}
}

// readable reports whether data sent to the brokers can be read in transit.
func (l *loader) readable(k *Kafka) bool {
	return !k.TLS && !k.Brokers.Local() && l.good("KAFKA_TLS", "KAFKA_BROKERS")
}
