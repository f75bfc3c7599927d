package pipeline

// Reader reads the state of a service from Kafka, from any machine and without
// affecting its owner.
type Reader struct {
	config *Config
}

// Reader returns a Reader of the service.
func (c *Config) Reader() *Reader { return &Reader{config: c} }
