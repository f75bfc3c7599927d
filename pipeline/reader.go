package pipeline

// Reader reads what Kafka has of a service, from any machine and without affecting its owner.
type Reader struct {
	config *Config
}

// Reader reads what Kafka has of the service.
func (c *Config) Reader() *Reader { return &Reader{config: c} }
