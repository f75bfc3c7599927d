package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"
)

// Config is the configuration of the connection to a Kafka cluster.
type Config struct {
	Brokers []string // HOST:PORT of some brokers; the others are discovered through them
	// Topics are the topics in the metadata of Client; other topics are unknown to Client,
	// while the methods of Cluster accept any topic. None means all topics of the cluster,
	// requested at each refresh, which is too much for a large cluster.
	Topics   []string
	ClientID string        // client.id in the brokers' logs and quotas; empty means "dfinery-kafka"
	Timeout  time.Duration // the longest wait for the answer to one request; 0 means 30 s
	TLS      *TLS          // nil means plain connections
	SASL     *SASL         // nil means no authentication
	// MetadataTTL is the maximum age of Client's metadata; 0 means 5 s. For smaller values see
	// metadataTTL.
	MetadataTTL time.Duration
	// IdleTimeout is how long an unused connection stays open; 0 means 30 s.
	IdleTimeout time.Duration
	// Slow is called for a request that is still unanswered after slowAfter but not yet timed
	// out: it shows early that a broker accepts connections but does not answer. Other requests
	// that are late at the same time are not reported. nil: nothing is called.
	Slow func(request string, after time.Duration)
	// Dial makes connections; nil means a net.Dialer. Tests use it to reach in-memory brokers.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// TLS enables encryption. The files are read again for each connection, so that certificates
// can be rotated without a restart.
type TLS struct {
	CAFile   string // PEM; empty means the system's roots
	CertFile string // PEM of the client's certificate; empty means none
	KeyFile  string // PEM of its key
}

// Cluster is one Kafka cluster. It is safe for concurrent use and shares its connections.
type Cluster struct {
	cfg       Config
	addr      net.Addr
	dialer    *dialer
	transport *transport
	leaders   leaders
	fetches   atomic.Int32 // the id of the last fetch
}

// metadataTTL is the maximum age of Client's metadata when no answer showed a change. kafka-go
// also uses it as the timeout of its metadata requests: with 1 s, metadata would never be known
// if brokers need longer to answer.
const metadataTTL = 5 * time.Second

// New validates cfg, including files and passwords, but does not connect: see Ping. All faults
// are reported at once.
func New(cfg Config) (*Cluster, error) {
	if cfg.ClientID == "" {
		cfg.ClientID = "dfinery-kafka"
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 30 * time.Second
	}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.MetadataTTL <= 0 {
		cfg.MetadataTTL = metadataTTL
	}
	if cfg.Dial == nil {
		cfg.Dial = new(net.Dialer).DialContext
	}
	d := &dialer{clientID: cfg.ClientID, tls: cfg.TLS, sasl: cfg.SASL, plain: cfg.Dial}
	pool := &kafka.Transport{
		Dial:           d.dial,
		DialTimeout:    dialTimeout * time.Duration(len(cfg.Brokers)), // it tries the brokers one after another
		MetadataTTL:    cfg.MetadataTTL,
		IdleTimeout:    cfg.IdleTimeout, // kafka-go's default is 30 s
		MetadataTopics: cfg.Topics,
		ClientID:       cfg.ClientID,
	}
	return &Cluster{
		cfg:       cfg,
		addr:      kafka.TCP(cfg.Brokers...),
		dialer:    d,
		transport: &transport{pool: pool, timeout: cfg.Timeout, turn: make(chan struct{}, 1), slow: cfg.Slow},
	}, nil
}

func (cfg *Config) check() error {
	var faults []error
	if len(cfg.Brokers) == 0 {
		faults = append(faults, errors.New("no Kafka brokers are configured"))
	}
	for _, broker := range cfg.Brokers {
		if host, port, err := net.SplitHostPort(broker); err != nil || host == "" || port == "" {
			faults = append(faults, fmt.Errorf("kafka broker %q is not of the form HOST:PORT", broker))
		}
	}
	if cfg.TLS != nil {
		if _, err := cfg.TLS.load("localhost"); err != nil {
			faults = append(faults, err)
		}
	}
	if cfg.SASL != nil {
		if err := cfg.SASL.check(); err != nil {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

// Client returns kafka-go's client on the shared connections. If an answer shows that a leader
// moved, it refreshes the metadata before it returns the answer, so that a retry reaches the
// right broker. Retrying is up to the caller.
func (c *Cluster) Client() *kafka.Client {
	return &kafka.Client{Addr: c.addr, Timeout: c.cfg.Timeout, Transport: c.transport}
}

// Reconnect makes the next requests use new connections. Requests in flight continue.
func (c *Cluster) Reconnect() { c.transport.pool.CloseIdleConnections() }

// Close closes the connections. Calls in flight fail.
func (c *Cluster) Close() { c.transport.pool.CloseIdleConnections() }
