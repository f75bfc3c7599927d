package pipeline

import (
	"log/slog"
	"time"

	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/schema"
)

// describe returns the log line of an event, with the suggested action.
func describe(e *schedule.Event) (slog.Level, string, []any) {
	attrs := []any{"stream", e.Stream}
	if e.Day != 0 {
		attrs = append(attrs, "day", e.Day)
	}
	l := describeDay(e)
	return l.level, l.text, append(attrs, l.attrs...)
}

// logLine is a log line without the stream and the day of its event.
type logLine struct {
	level slog.Level
	text  string
	attrs []any
}

func line(level slog.Level, text string, attrs ...any) logLine { return logLine{level, text, attrs} }

// describeDay returns the log line of an event of a day, or of its columns.
func describeDay(e *schedule.Event) logLine {
	switch e.Kind {
	case schedule.DayLost:
		return line(slog.LevelError, "a day has left the API's reach without ever having been exported: its rows are lost at the source",
			"do", "inform the users of this data; only DFINERY may still have it")
	case schedule.DayLeftUnsettled:
		if e.BeforeStart {
			return line(slog.LevelWarn, "a day moved out of the stream's START before it was settled: late rows may be missing",
				"do", "set a longer "+schema.StreamVariable(e.Stream, "START")+" if they are needed")
		}
		return line(slog.LevelWarn, "a day has left the API's reach before it was settled: late rows may be missing",
			"do", "tell those who use this data; only DFINERY may still have them")
	case schedule.DayLeftCut:
		return line(slog.LevelError, "a day ended with its last answer cut: its rows after the cut are missing", "cut", e.Cut,
			"do", "tell those who use this data; only DFINERY may still have them")
	case schedule.DayCut:
		return describeCut(e)
	case schedule.DayAboutToBeLost:
		return line(slog.LevelWarn, "a day that was never exported is about to leave the API's reach", "lost_after", e.Until.UTC(),
			"do", "check its last error in dfinery-kafka status, and fix the cause in time")
	case schedule.DayReopened:
		return line(slog.LevelWarn, "a day is exported again because it was completed too early: the clock was ahead, or the lookback or START is longer now",
			"state", e.State, "do", "nothing; if neither was changed, synchronize this machine's clock by NTP")
	case schedule.TodayTooEarly:
		return line(slog.LevelInfo, "today can't be exported yet")
	case schedule.ClockDiffers:
		return line(slog.LevelError, "the API says that a day is out of reach, but its clock differs from this machine's: the day is retried",
			"api_clock", e.At, "clock", time.Now().UTC(), "do", "synchronize this machine's clock by NTP, or report the wrong clock to DFINERY")
	case schedule.DayRefused:
		return line(slog.LevelError, "the API refuses a day, but not other days of its stream: only this day waits, and is retried every hour",
			"code", e.Code, "error", e.Detail, "do", "check its dead letter and the error, or ask DFINERY about this day; dfinery-kafka resume "+
				e.Stream+" retries immediately")
	case schedule.DayAnsweredEmpty:
		return line(slog.LevelWarn, "a day was answered without rows, and it is not yet known whether the API answers days without events like this: it waits until another day has rows",
			"code", e.Code, "do", "nothing, unless it persists: then check DFINERY_BASE_URL, DFINERY_SERVICE_ID and the stream's filters")
	case schedule.RowsMissing:
		return line(slog.LevelWarn, "rows that were published are missing from the latest export of their day", "missing", e.Count,
			"do", "nothing: published rows are not deleted. If it matters, ask DFINERY why the rows disappeared")
	case schedule.ColumnsChanged:
		switch e.Contract {
		case schema.ContractWarn:
			return line(slog.LevelWarn, "the export's columns have changed", "new", e.Added, "do", "nothing; inform consumers that read these columns")
		case schema.ContractFreeze:
			return line(slog.LevelWarn, "the export's columns have changed, and its contract is frozen", "new", e.Added,
				"do", "dfinery-kafka contract accept "+e.Stream+" accepts them; "+schema.StreamVariable(e.Stream, "EXCLUDE_PROPERTIES")+" excludes them")
		case schema.ContractEvolve:
		}
		return line(slog.LevelInfo, "the export's columns have changed", "new", e.Added)
	}
	return describeStream(e)
}

// describeCut returns the log line of a finished day whose answer is cut.
func describeCut(e *schedule.Event) logLine {
	level, do := slog.LevelWarn, "nothing, unless it persists: then ask DFINERY about this day"
	switch e.Cut {
	case schema.NoNewline:
		do = "nothing, unless all days end like this: if the API is known to omit the last newline, set DFINERY_FINAL_NEWLINE=optional"
	case schema.UnclosedCell:
		level, do = slog.LevelError, "check the day's dead letter; if the API does not escape quotes, set DFINERY_OPEN_QUOTE=recover to publish the rows after them"
	}
	return line(level, "a finished day is cut: its rows after the cut are missing", "cut", e.Cut, "error", e.Detail, "do", do)
}

// describeStream returns the log line of an event of a stream, or of a day in slices.
func describeStream(e *schedule.Event) logLine {
	switch e.Kind {
	case schedule.Narrowed:
		return line(slog.LevelWarn, "a day's query keeps failing: exporting it in slices of events", "events", e.Count,
			"do", "nothing yet: an event that can't be exported will be reported")
	case schedule.EventMissing:
		return line(slog.LevelError, "an event of a day can't be exported: the day continues without it, and the event is requested again every few hours",
			"event", e.EventName, "error", e.Detail, "do", "ask DFINERY about this event of this day")
	case schedule.NarrowingFailed:
		return line(slog.LevelWarn, "no slice of a day can be exported: retrying the whole day", "do", "nothing, if other days fail as well; otherwise ask DFINERY about this day")
	case schedule.StreamHalted:
		return line(slog.LevelError, "stream is halted, and retried every hour", "code", e.Code, "error", e.Detail,
			"do", "fix the error; dfinery-kafka resume "+e.Stream+" retries immediately")
	case schedule.StreamResumed:
		return line(slog.LevelInfo, "stream resumes")
	case schedule.ExclusiveSuspected:
		return line(slog.LevelWarn, "days without rows have some when they are exported together: exporting them again before deciding about to_date",
			"rows", e.Count, "do", "nothing yet")
	case schedule.ExclusiveFound:
		return line(slog.LevelError, "stream is halted", "rows", e.Count, "error", e.Detail, "do", "set DFINERY_TO_DATE=exclusive and restart")
	}
	return describeSettings(e)
}

// describeSettings returns the log line of an event that a change of the stream's
// configuration causes.
func describeSettings(e *schedule.Event) logLine {
	switch e.Kind {
	case schedule.IdentityChanged:
		return line(slog.LevelWarn, "the stream's properties, topic or hidden columns have changed: its days in reach are published again", "days", e.Count, "rows", e.Rows, "calls", e.Count,
			"do", "nothing, if that was intended; consumers receive the rows of these days again, with other ids")
	case schedule.ProfilesDiffer:
		return line(slog.LevelWarn, "the stream's properties, topic or hidden columns have changed: profiles that now differ from the topic are published again",
			"do", "nothing, if that was intended; consumers receive these profiles again, possibly all")
	case schedule.KeyRefused:
		return line(slog.LevelError, "stream is halted: its hidden cells were hashed with another key", "code", e.Code, "error", e.Detail,
			"do", "mount the former key and restart; dfinery-kafka resume "+e.Stream+" accepts the new one, and publishes the days in reach again")
	case schedule.SettingChanged:
		return line(slog.LevelWarn, "the stream's settings have changed", "meaning", e.Detail, "do", "nothing, if that was intended")
	case schedule.DaysLack:
		return line(slog.LevelWarn, "settled days lack events that the stream exports now", "events", e.EventName, "days", e.Count, "range", e.Range(), "calls", e.Count,
			"do", "dfinery-kafka backfill "+e.Stream+" --changed exports them again")
	case schedule.NameUnknown:
		return line(slog.LevelWarn, "a name of the stream's filter never occurs", "meaning", e.Unknown(), "do", "correct "+schema.StreamVariable(e.Stream, "EVENTS")+" or _PROPERTIES, or remove the name")
	case schedule.StreamRemoved:
		return line(slog.LevelWarn, "a stream is no longer configured: its days are not exported; its topic is not deleted", "do", "nothing, if that was intended; if it is configured again within 30 days, it continues")
	}
	return line(slog.LevelInfo, "schedule changed", "kind", e.Kind)
}
