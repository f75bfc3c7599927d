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

// Config says how to reach a Kafka cluster.
type Config struct {
	Brokers []string // HOST:PORT of some brokers; the others are learned from them
	// Topics are those whose layout Client knows; other topics are unknown to Client, while the methods of Cluster take any
	// topic. None means all topics of the cluster, asked for at each refresh: too much for a large one.
	Topics   []string
	ClientID string        // what the brokers' logs and quotas call us; empty means "dfinery-kafka"
	Timeout  time.Duration // the longest wait for the answer to one request; 0 means 30 s
	TLS      *TLS          // nil means plain connections
	SASL     *SASL         // nil means no authentication
	// MetadataTTL bounds the age of what Client knows of the layout; 0 means 5 s, and less than that risks what metadataTTL says.
	MetadataTTL time.Duration
	// Slow is called for a request that is still unanswered after a while and waits on until Timeout: it shows early that a broker takes
	// connections and never answers. Further requests that are late at the same time are not reported. nil: nothing is called.
	Slow func(request string, after time.Duration)
	// Dial makes connections; nil means a net.Dialer's. Tests reach brokers in memory by it.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// TLS turns encryption on. The files are read again for each connection, so that certificates rotate without a restart.
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
	fetches   atomic.Int32 // the id of the last fetch
}

// metadataTTL bounds the age of what Client knows of the cluster when no answer showed a change. kafka-go also takes it as
// the time limit of its metadata requests: at 1 s, brokers that need longer to answer would keep the layout unknown for ever.
const metadataTTL = 5 * time.Second

// New checks cfg, files and passwords included, but does not connect: see Ping. All faults are reported at once.
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
		DialTimeout:    dialTimeout * time.Duration(len(cfg.Brokers)), // it tries the brokers one after the other
		MetadataTTL:    cfg.MetadataTTL,
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
		faults = append(faults, errors.New("no Kafka brokers are given"))
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

// Client is kafka-go's client on the shared connections. An answer that shows a moved leader makes it refresh the layout
// before the answer is returned, so that a retry reaches the right broker; retrying is up to the caller.
func (c *Cluster) Client() *kafka.Client {
	return &kafka.Client{Addr: c.addr, Timeout: c.cfg.Timeout, Transport: c.transport}
}

// Reconnect has the next requests go over new connections. Those under way go on.
func (c *Cluster) Reconnect() { c.transport.pool.CloseIdleConnections() }

// Close closes the connections. Calls under way fail.
func (c *Cluster) Close() { c.transport.pool.CloseIdleConnections() }
