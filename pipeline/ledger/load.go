package ledger

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/schema"
)

// Books are the ledger's two topics and the service that it is about.
type Books struct {
	Cluster *cluster.Cluster
	Topic   string // compacted: state
	Rows    string // fingerprints
	Service string
}

// DayName names a day of a stream.
type DayName struct {
	Stream string
	Day    schema.Day
}

// State is all that the ledger says of a service. A nil record was never written.
type State struct {
	Owner      *Owner
	Checkpoint *Checkpoint
	Service    *Service
	Days       map[DayName]*Day
	Commands   map[string]*Command
	// Since are the former records of days that were written since the newest checkpoint, oldest first.
	Since map[DayName][]*Day
	// Partition is the one of the ledger topic that holds this service's records.
	Partition int
	// End is the offset behind the last record read.
	End int64
}

// MisplacedError says that a record of the service stands in another partition than the one where it belongs: partitions were
// added to the ledger topic, which moves keys. Going on would count the old state as absent.
type MisplacedError struct {
	Topic, Key      string
	Partition, Want int
	Offset          int64
}

func (e *MisplacedError) Error() string {
	return fmt.Sprintf("topic %s partition %d offset %d holds %q, which belongs into partition %d: partitions were added to the ledger. "+
		"Copy the ledger into a topic with a single partition and name it in LEDGER_TOPIC, or give the topic its former number of partitions",
		e.Topic, e.Partition, e.Offset, e.Key, e.Want)
}

// RecordError says that a record of the ledger can't be read. Nothing was changed.
type RecordError struct {
	Topic     string
	Partition int
	Offset    int64
	Key       string
	Err       error
}

func (e *RecordError) Error() string {
	return fmt.Sprintf("the ledger's record %q in topic %s partition %d at offset %d can't be read: %v. The service stops rather than count it as absent",
		e.Key, e.Topic, e.Partition, e.Offset, e.Err)
}

// Unwrap gives the cause.
func (e *RecordError) Unwrap() error { return e.Err }

// Load reads the whole ledger topic, all partitions, up to its present end.
func (b *Books) Load(ctx context.Context) (*State, error) {
	topics, err := b.Cluster.Topics(ctx, b.Topic)
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	if topics[0].Err != nil {
		return nil, fmt.Errorf("read the ledger: topic %s: %w", b.Topic, topics[0].Err)
	}
	partitions := topics[0].TopicPartitions()
	logs, err := b.Cluster.Offsets(ctx, partitions...)
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	state := &State{Days: map[DayName]*Day{}, Commands: map[string]*Command{}, Partition: cluster.PartitionOf([]byte(b.Service), len(partitions))}
	for _, log := range logs {
		if log.Err != nil {
			return nil, fmt.Errorf("read the ledger: %w", log.Err)
		}
		if log.Partition.Partition == state.Partition {
			state.End = log.End
		}
		if err := b.Follow(ctx, state, log.Partition.Partition, log.Start, log.End); err != nil {
			return nil, err
		}
	}
	return state, nil
}

// Follow takes the records of [from, to) of one partition of the ledger topic into state.
func (b *Books) Follow(ctx context.Context, state *State, partition int, from, to int64) error {
	return b.Cluster.Read(ctx, cluster.TopicPartition{Topic: b.Topic, Partition: partition}, from, to, cluster.Visitor{Record: func(r *cluster.Record) error {
		key := string(r.Key)
		if !known(key) || !b.ours(key, r.Value) || partition != state.Partition && strings.HasPrefix(key, "command/") {
			return nil // a command that stands elsewhere is nobody's: it must not stop a service
		}
		if partition != state.Partition {
			return &MisplacedError{Topic: b.Topic, Key: key, Partition: partition, Want: state.Partition, Offset: r.Offset}
		}
		if err := state.take(key, r.Value, r.Offset); err != nil {
			return &RecordError{Topic: b.Topic, Partition: partition, Offset: r.Offset, Key: key, Err: err}
		}
		return nil
	}})
}

// known tells the kinds of records that this release reads. Others are a later release's: they are left where they are, so that a
// release can be taken back without its state being lost.
func known(key string) bool {
	switch kind, _, _ := strings.Cut(key, "/"); kind {
	case "owner", "checkpoint", "service", "day", "command":
		return true
	}
	return false
}

// ours tells the records of this service. A command names its service in its value.
func (b *Books) ours(key string, value []byte) bool {
	kind, rest, _ := strings.Cut(key, "/")
	if kind == "command" {
		return value == nil || commandFor(value, b.Service)
	}
	service, _, _ := strings.Cut(rest, "/")
	return service == b.Service
}

// commandFor tells whether a command's value names the service. A value that can't be read at all is everybody's, to be rejected.
func commandFor(value []byte, service string) bool {
	var c struct {
		Service string `json:"service"`
	}
	return json.Unmarshal(value, &c) != nil || c.Service == service || c.Service == ""
}

// take enters one record of a known kind; a record without a value deletes its key.
func (s *State) take(key string, value []byte, offset int64) error {
	kind, rest, _ := strings.Cut(key, "/")
	switch kind {
	case "owner":
		return takeOne(&s.Owner, value)
	case "checkpoint":
		s.Since = nil
		return takeOne(&s.Checkpoint, value)
	case "service":
		return takeOne(&s.Service, value)
	case "day":
		return s.takeDay(rest, value)
	case "command":
		return s.takeCommand(rest, value, offset)
	}
	return nil
}

// record is a pointer to one of the record types.
type record[T any] interface {
	*T
	keeper
}

func takeOne[T any, P record[T]](into **T, value []byte) error {
	if value == nil {
		*into = nil
		return nil
	}
	r := new(T)
	if err := decode(value, P(r)); err != nil {
		return err
	}
	*into = r
	return nil
}

func (s *State) takeDay(rest string, value []byte) error {
	parts := strings.Split(rest, "/")
	if len(parts) != 3 {
		return fmt.Errorf("the key is not of the form day/SERVICE/STREAM/DAY")
	}
	day, err := schema.ParseDay(parts[2])
	if err != nil {
		return err
	}
	name := DayName{Stream: parts[1], Day: day}
	if value == nil {
		delete(s.Days, name)
		delete(s.Since, name)
		return nil
	}
	var d *Day
	if err := takeOne(&d, value); err != nil {
		return err
	}
	switch d.State {
	case Pending, Open, Settled, Gap:
	default:
		return fmt.Errorf("%q is not a state of a day", d.State)
	}
	if (d.State == Open || d.State == Settled) && d.LastSuccess == nil {
		return fmt.Errorf("the day is %s without a last_success", d.State)
	}
	if former := s.Days[name]; former != nil {
		if s.Since == nil {
			s.Since = map[DayName][]*Day{}
		}
		s.Since[name] = append(s.Since[name], former)
	}
	s.Days[name] = d
	return nil
}

// takeCommand enters a command. One that does not parse stops nothing: it is kept with its error, to be rejected.
func (s *State) takeCommand(id string, value []byte, offset int64) error {
	if value == nil {
		delete(s.Commands, id)
		return nil
	}
	var c *Command
	if err := takeOne(&c, value); err != nil {
		c = &Command{Error: err.Error()}
	}
	c.ID, c.Offset = id, offset
	s.Commands[id] = c
	return nil
}

// InOrder are the commands as they were given: one that was not taken up yet stands where it was written first.
func (s *State) InOrder() []*Command {
	return slices.SortedFunc(maps.Values(s.Commands), func(a, b *Command) int { return cmp.Compare(a.Offset, b.Offset) })
}
