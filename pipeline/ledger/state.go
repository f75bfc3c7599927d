package ledger

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"dfinery-kafka/schema"
)

// DayName identifies a day of a stream.
type DayName struct {
	Stream string
	Day    schema.Day
}

// State is the content of a service's ledger. A nil record was never written.
type State struct {
	Owner      *Owner
	Checkpoint *Checkpoint
	Service    *Service
	Days       map[DayName]*Day
	Commands   map[string]*Command
	// Since has the previous records of days that were written since the newest checkpoint,
	// oldest first.
	Since map[DayName][]*Day
	// Partition is the partition of the ledger topic with this service's records.
	Partition int
	// End is the offset after the last record read.
	End int64
}

// NewState returns the empty state of a service whose records are in this partition of the
// state topic.
func NewState(partition int) *State {
	return &State{Days: map[DayName]*Day{}, Commands: map[string]*Command{}, Partition: partition}
}

// Apply applies one record of a known kind. A record without a value deletes its key.
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

// takeCommand applies a command. A command that can't be parsed stops nothing: it is stored
// with its error, to be refused.
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

// InOrder returns the commands in the order of submission: one that was not yet accepted keeps
// the position of its first record.
func (s *State) InOrder() []*Command {
	return slices.SortedFunc(maps.Values(s.Commands), func(a, b *Command) int { return cmp.Compare(a.Offset, b.Offset) })
}
