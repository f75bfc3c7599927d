package app

import (
	"dfinery-kafka/cmd/config"
	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// lateAnswerAdvice is the advice about a broker that does not answer in time.
const lateAnswerAdvice = "nothing if it is temporary: the request is repeated. Otherwise check the brokers, the network, lagging replicas and client quotas"

// kafkaConfig returns the configured Kafka cluster. legacy is called to report config.LegacyLogin.
func kafkaConfig(c *config.Config, legacy func()) cluster.Config {
	k := cluster.Config{Brokers: c.Kafka.Brokers}
	for i := range c.Streams {
		k.Topics = append(k.Topics, string(c.Streams[i].Topic))
	}
	k.Topics = append(k.Topics, string(c.Publish.DeadLetterTopic), string(c.Publish.LedgerTopic), ledger.RowsTopic(string(c.Publish.LedgerTopic)))
	if c.Kafka.TLS {
		k.TLS = &cluster.TLS{CAFile: c.Kafka.CAFile, CertFile: c.Kafka.CertFile, KeyFile: c.Kafka.KeyFile}
	}
	if c.Kafka.Mechanism != "" {
		k.SASL = login(&c.Kafka, legacy)
	}
	return k
}

func login(k *config.Kafka, legacy func()) *cluster.SASL {
	if k.Mechanism == config.OAuthBearer {
		credentials := &cluster.ClientCredentials{
			TokenURL: string(k.TokenURL), ClientID: k.ClientID, Secret: secret(k.ClientSecret, k.ClientSecretFile), Scopes: k.Scope, Legacy: legacy,
		}
		return &cluster.SASL{Mechanism: string(k.Mechanism), Token: credentials.Token}
	}
	return &cluster.SASL{Mechanism: string(k.Mechanism), Username: k.Username, Password: secret(k.Password, k.PasswordFile), Legacy: legacy}
}

// secret returns a function that reads the secret, each time from its file if it has one.
func secret(plain schema.Secret, file string) func() (string, error) {
	return func() (string, error) {
		if file == "" {
			return plain.Reveal(), nil
		}
		read, err := config.ReadSecret(file)
		return read.Reveal(), err
	}
}
