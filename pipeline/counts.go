package pipeline

import (
	"maps"
	"sync"
	"time"

	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

// Counts counts what the service has done since the process started. At most maxCodes
// codes are counted separately, as the API chooses the codes.
type Counts struct {
	mu sync.Mutex
	by map[string]*StreamCounts
}

// StreamCounts are the counts of one stream.
type StreamCounts struct {
	Exports         map[schema.Code]int64 // by code; "ok" for success
	Published       int64
	Duplicates      int64
	Deleted         int64 // profiles
	BadRows         int64 // dead letters of rows
	Bytes           int64
	Letters         map[LetterKind]int64
	ColumnChanges   int64
	Gaps            int64
	RepeatedHeaders int64     // rows skipped because they repeat the header line
	Newest          time.Time // when rows were last known to be published; zero: not since the start
	NulledValues    int64     // cells published as null because their type refuses them
}

// LetterKind is a kind of dead letter.
type LetterKind struct {
	Kind string
	Code schema.Code
}

// codeOK counts exports that succeeded.
const codeOK schema.Code = "ok"

// maxCodes limits the codes that are counted separately for a stream, as the server
// chooses the STATUS of http_STATUS.
const maxCodes = 40

const otherCode schema.Code = "other"

func (c *Counts) change(stream string, change func(*StreamCounts)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by == nil {
		c.by = map[string]*StreamCounts{}
	}
	s := c.by[stream]
	if s == nil {
		s = &StreamCounts{Exports: map[schema.Code]int64{}, Letters: map[LetterKind]int64{}}
		c.by[stream] = s
	}
	change(s)
}

func (c *Counts) export(stream string, code schema.Code) {
	c.change(stream, func(s *StreamCounts) {
		if _, known := s.Exports[code]; !known && len(s.Exports) >= maxCodes {
			code = otherCode
		}
		s.Exports[code]++
	})
}

func (c *Counts) rows(stream string, news transfer.Tally) {
	c.change(stream, func(s *StreamCounts) {
		s.Published += int64(news.Published)
		s.Deleted += int64(news.Deleted)
		if news.Published > 0 {
			s.Newest = time.Now()
		}
		s.Duplicates += int64(news.Duplicates)
		s.BadRows += int64(news.NewBad)
		s.Bytes += news.Bytes
	})
}

func (c *Counts) deadLetter(stream, kind string, code schema.Code) {
	c.change(stream, func(s *StreamCounts) {
		at := LetterKind{kind, code}
		if _, known := s.Letters[at]; !known && len(s.Letters) >= maxCodes {
			at.Code = otherCode
		}
		s.Letters[at]++
	})
}

func (c *Counts) columnChange(stream string) {
	c.change(stream, func(s *StreamCounts) { s.ColumnChanges++ })
}

func (c *Counts) repeatedHeaders(stream string, n int64) {
	c.change(stream, func(s *StreamCounts) { s.RepeatedHeaders += n })
}

func (c *Counts) gap(stream string) { c.change(stream, func(s *StreamCounts) { s.Gaps++ }) }

// copies returns a copy of the current counts by stream.
func (c *Counts) copies() map[string]StreamCounts {
	c.mu.Lock()
	defer c.mu.Unlock()
	totals := make(map[string]StreamCounts, len(c.by))
	for name, one := range c.by {
		copied := *one
		copied.Exports, copied.Letters = maps.Clone(one.Exports), maps.Clone(one.Letters)
		totals[name] = copied
	}
	return totals
}
