package app

import (
	"dfinery-kafka/cmd/config"
	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/schema"
)

// lookAtBrokers is what there is to do about an answer that is late.
const lookAtBrokers = "nothing, if it passes: it is waited for, and asked for again. Else look at the brokers, the network on the way to them, replicas that lag, client quotas"

// kafkaConfig is the Kafka cluster that c names. legacy is called when config.LegacyLogin is to be said.
func kafkaConfig(c *config.Config, legacy func()) cluster.Config {
	k := cluster.Config{Brokers: c.Kafka.Brokers}
	for i := range c.Streams {
		k.Topics = append(k.Topics, string(c.Streams[i].Topic))
	}
	k.Topics = append(k.Topics, string(c.Publish.DeadLetterTopic), string(c.Publish.LedgerTopic), string(c.Publish.LedgerTopic)+".rows")
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

// secret is read from its file each time, if it has one.
func secret(plain schema.Secret, file string) func() (string, error) {
	return func() (string, error) {
		if file == "" {
			return plain.Reveal(), nil
		}
		read, err := config.ReadSecret(file)
		return read.Reveal(), err
	}
}
