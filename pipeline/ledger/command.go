package ledger

import (
	"slices"
	"time"

	"dfinery-kafka/schema"
)

// Command is the record command/ID.
type Command struct {
	ID      string     `json:"id"`
	Service string     `json:"service"`
	Verb    string     `json:"verb"` // pause, resume, accept, backfill, replay, approve
	Stream  string     `json:"stream,omitempty"`
	From    schema.Day `json:"from,omitempty"`
	To      schema.Day `json:"to,omitempty"`
	Again   bool       `json:"again,omitempty"`
	// Most is how many profiles may be deleted; 0: those that are withheld.
	Most int `json:"most,omitempty"`
	// Letters are the dead letters to replay, all of Stream: [partition, offset] of the
	// dead-letter topic.
	Letters [][2]int64 `json:"letters,omitempty"`
	Given   time.Time  `json:"given"`
	By      string     `json:"by,omitempty"`

	// The following is written by the owner: when it accepted the command, how many of its days
	// or rows are done, and the result.
	Taken    *time.Time `json:"taken,omitempty"`
	Finished int        `json:"finished,omitempty"`
	Total    int        `json:"total,omitempty"`
	Done     *time.Time `json:"done,omitempty"`
	Result   string     `json:"result,omitempty"`
	Error    string     `json:"error,omitempty"`

	// Offset is the record's.
	Offset int64 `json:"-"`

	unknown
}

// Progress sets the progress of the command, and reports whether it has changed.
func (c *Command) Progress(finished, total int) bool {
	news := c.Finished != finished || c.Total != total
	c.Finished, c.Total = finished, total
	return news
}

// OpenCommands returns the commands that are not done, oldest first.
func OpenCommands(all []*Command) []*Command {
	open := slices.DeleteFunc(slices.Clone(all), func(c *Command) bool { return c.Done != nil })
	slices.SortStableFunc(open, func(a, b *Command) int { return a.Given.Compare(b.Given) })
	return open
}
