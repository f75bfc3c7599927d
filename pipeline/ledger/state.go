package ledger

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"dfinery-kafka/schema"
)

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

// NewState is the state of a service whose records are in the partition of the state topic.
func NewState(partition int) *State {
	return &State{Days: map[DayName]*Day{}, Commands: map[string]*Command{}, Partition: partition}
}

// Apply enters one record of a known kind; a record without a value deletes its key.
func (s *State) Apply(key string, value []byte, offset int64) error {
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
	Record
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

// InOrder are the commands as they were given: one that was not taken up yet keeps the place of its first record.
func (s *State) InOrder() []*Command {
	return slices.SortedFunc(maps.Values(s.Commands), func(a, b *Command) int { return cmp.Compare(a.Offset, b.Offset) })
}
