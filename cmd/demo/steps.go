package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"dfinery-kafka/schema"
)

func (s *demoRun) printIntroduction(d Demo) {
	s.line(bold, "dfinery-kafka publishes every row of a DFINERY service to Kafka exactly once, whatever fails on the way")
	s.line(plain, "This shows how: a simulated API, a Kafka broker and the connector run in this process, for some 12 seconds.")
	s.headline("What is there")
	s.line(plain, "   Export API  %s  %d days of %s events, some with commas, quotes and line ends in their cells", s.environ[0][1], d.Days, number(d.Rows))
	s.line(plain, "   Kafka       %s  embedded", strings.Join(s.brokers, ","))
	s.line(plain, "   connector   as `dfinery-kafka run`, %s, compression %s, %d partitions", s.config.Publish.Delivery, s.config.Kafka.Compression, s.config.Kafka.Partitions)
	if page := s.page(); page != "" {
		s.line(plain, "   status page %s  as long as the demo runs; --keep leaves it open", page)
	}
}

// headerCode is the header with a dead letter's code.
const headerCode = "__connect.errors.exception.class.name"

// showDeadLetters shows the reason of each dead letter, and one complete dead letter.
func (s *demoRun) showDeadLetters(ctx context.Context) error {
	topic := string(s.config.Publish.DeadLetterTopic)
	s.headline("What went wrong stands in " + topic)
	s.line(plain, "   Nothing is dropped silently. Each failed call and each row that can't be published is a dead letter, with its reason:")
	letters, err := consume(ctx, s.brokers, topic)
	if err != nil {
		return err
	}
	for _, m := range letters {
		var letter schema.DeadLetter
		if err := json.Unmarshal(m.Value, &letter); err != nil {
			return fmt.Errorf("dead letter at %s: %w", m, err)
		}
		s.line(red, "   %s  %-6s  %s: %s", letter.Day, letter.Kind, letter.Error.Code, letter.Error.Detail)
	}
	whole := slices.IndexFunc(letters, func(m Message) bool {
		return m.Headers[headerCode] == string(schema.QueryError)
	})
	if whole < 0 {
		return fmt.Errorf("the failed query of %s has no dead letter", s.source.last-queryFails)
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, letters[whole].Value, "   ", "  "); err != nil {
		return err
	}
	s.line(plain, "   One of them, key %s:", letters[whole].Key)
	s.line(faint, "   %s", pretty.String())
	return nil
}

// showRecords shows the first records of yesterday.
func (s *demoRun) showRecords(ctx context.Context) error {
	topic := string(s.config.Streams[0].Topic)
	s.headline("What a consumer of " + topic + " sees")
	s.line(plain, "   A record for each row: the key is the user, so a user's rows keep their order, and the header id is the row's identity.")
	records, err := consume(ctx, s.brokers, topic)
	if err != nil {
		return err
	}
	const shown = 2
	yesterday := (s.source.last - 1).String()
	records = slices.DeleteFunc(records, func(m Message) bool { return m.Day() != yesterday })
	for _, m := range records[:min(shown, len(records))] {
		s.line(plain, "   %s", m)
		s.line(faint, "     key     %s", m.Key)
		s.line(faint, "     id      %s", m.Headers["id"])
		s.line(faint, "     export  %s", m.Headers["export"])
		s.line(faint, "     value   %s", shorten(string(m.Value), 700))
	}
	return nil
}

func (s *demoRun) compare(ctx context.Context) error {
	letters, err := consume(ctx, s.brokers, string(s.config.Publish.DeadLetterTopic))
	if err != nil {
		return err
	}
	s.letters = len(letters)
	s.headline("Everything that the API holds against everything in Kafka, cell by cell")
	records, err := consume(ctx, s.brokers, string(s.config.Streams[0].Topic))
	if err != nil {
		return err
	}
	days := map[schema.Day][]map[string]string{}
	for day := s.source.first; day <= s.source.last; day++ {
		days[day] = s.source.holds(day)
	}
	s.compared = Compare(days, records)
	s.line(plain, "   %s rows of %d days in the API, %s records in %s, %s cells", number(s.compared.Rows), len(days), number(s.compared.Records),
		s.config.Streams[0].Topic, number(s.compared.Cells))
	if err := s.compared.Err(); err != nil {
		return fmt.Errorf("API and Kafka differ: %w", err)
	}
	s.line(green, "   equal: nothing missing, nothing twice, nothing changed")
	return nil
}

func (s *demoRun) summarize(took time.Duration) {
	s.headline("Summary")
	calls := s.source.api.Calls()
	failed := 0
	for _, c := range calls {
		if !c.Whole {
			failed++
		}
	}
	s.line(plain, "   %d export calls, %d of them failed; %s rows published, each once; %d dead letters; %.1f s", len(calls), failed,
		number(s.compared.Records), s.letters, took.Seconds())
}
