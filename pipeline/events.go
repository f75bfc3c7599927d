package pipeline

import (
	"log/slog"
	"time"

	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/schema"
)

// describe is an event as a line of the log, with what to do about it.
func describe(e *schedule.Event) (slog.Level, string, []any) {
	attrs := []any{"stream", e.Stream}
	if e.Day != 0 {
		attrs = append(attrs, "day", e.Day)
	}
	line := func(level slog.Level, text string, more ...any) (slog.Level, string, []any) {
		return level, text, append(attrs, more...)
	}
	switch e.Kind {
	case schedule.DayLost:
		return line(slog.LevelError, "a day has left the API's reach without ever having been exported: its rows are lost at the source",
			"do", "tell those who use this data; only DFINERY may still have it")
	case schedule.DayLeftUnsettled:
		if e.BeforeStart {
			return line(slog.LevelWarn, "a day has left the days that the stream's START names before it was settled: late rows may be missing",
				"do", "set a longer STREAM_…_START if they are wanted")
		}
		return line(slog.LevelWarn, "a day has left the API's reach before it was settled: late rows may be missing",
			"do", "tell those who use this data; only DFINERY may still have them")
	case schedule.DayLeftCut:
		return line(slog.LevelError, "a day has come to its end with its last answer cut: its rows behind the cut are missing", "cut", e.Cut,
			"do", "tell those who use this data; only DFINERY may still have them")
	case schedule.DayCut:
		return describeCut(e, line)
	case schedule.DayAboutToBeLost:
		return line(slog.LevelWarn, "a day that was never exported is about to leave the API's reach", "lost_after", e.Until.UTC(),
			"do", "see its last error in dfinery-kafka status, and fix the cause before then")
	case schedule.DayReopened:
		return line(slog.LevelWarn, "a day is exported again that had ended too early: the clock was ahead, or the lookback or START is longer now",
			"state", e.State, "do", "nothing; if neither was changed, set this machine's clock by NTP")
	case schedule.TodayTooEarly:
		return line(slog.LevelInfo, "today can't be exported yet")
	case schedule.ClockDiffers:
		return line(slog.LevelError, "the API says that a day is out of reach, but its clock differs from this machine's: not believed",
			"api_clock", e.At, "clock", time.Now().UTC(), "do", "set this machine's clock by NTP, or tell DFINERY that theirs is wrong")
	case schedule.DayRefused:
		return line(slog.LevelError, "a day is refused while others of its stream are not: it alone waits, and is tried again every hour",
			"code", e.Code, "error", e.Detail, "do", "compare its dead letter with what the error names, ask DFINERY about this day; dfinery-kafka resume "+
				e.Stream+" tries at once")
	case schedule.DayAnsweredEmpty:
		return line(slog.LevelWarn, "a day was answered without rows, and it is not known yet whether the API answers days without events so: it waits until another day has rows",
			"code", e.Code, "do", "nothing, unless it stays: then check DFINERY_BASE_URL, DFINERY_SERVICE_ID and the stream's filters")
	case schedule.RowsMissing:
		return line(slog.LevelWarn, "rows that were published are missing from the latest export of their day", "missing", e.Count,
			"do", "nothing here: what was published stays. If it matters, ask DFINERY why the rows are gone")
	case schedule.ColumnsChanged:
		switch e.Contract {
		case schema.ContractWarn:
			return line(slog.LevelWarn, "the export's columns have changed", "new", e.Added, "do", "nothing here; tell consumers that read these columns")
		case schema.ContractFreeze:
			return line(slog.LevelWarn, "the export's columns have changed, and its contract is frozen", "new", e.Added,
				"do", "dfinery-kafka contract accept "+e.Stream+" accepts them; STREAM_…_EXCLUDE_PROPERTIES excludes them")
		case schema.ContractEvolve:
		}
		return line(slog.LevelInfo, "the export's columns have changed", "new", e.Added)
	}
	return describeStream(e, line)
}

// describeCut is a finished day whose answer is cut.
func describeCut(e *schedule.Event, line func(slog.Level, string, ...any) (slog.Level, string, []any)) (slog.Level, string, []any) {
	level, do := slog.LevelWarn, "nothing, unless it stays: then ask DFINERY about this day"
	switch e.Cut {
	case schema.NoNewline:
		do = "nothing, unless all days end so: if the API is known to leave the last newline out, set DFINERY_FINAL_NEWLINE=optional"
	case schema.UnclosedCell:
		level, do = slog.LevelError, "see the day's dead letter; if the API leaves quotes unescaped, set DFINERY_OPEN_QUOTE=recover to publish the rows behind them"
	}
	return line(level, "a finished day is cut: its rows behind the cut are missing", "cut", e.Cut, "error", e.Detail, "do", do)
}

// describeStream is an event of a stream, or of a day in slices.
func describeStream(e *schedule.Event, line func(slog.Level, string, ...any) (slog.Level, string, []any)) (slog.Level, string, []any) {
	switch e.Kind {
	case schedule.Narrowed:
		return line(slog.LevelWarn, "a day's query keeps failing: exporting it in slices of events", "events", e.Count,
			"do", "nothing yet: an event that can't be exported will be named")
	case schedule.EventMissing:
		return line(slog.LevelError, "an event of a day can't be exported: the day goes on without it, and asks for it again every few hours",
			"event", e.EventName, "error", e.Detail, "do", "ask DFINERY about this event of this day")
	case schedule.NarrowingFailed:
		return line(slog.LevelWarn, "no slice of a day can be exported: trying the whole day again", "do", "nothing, if other days fail as well; else ask DFINERY about this day")
	case schedule.StreamHalted:
		return line(slog.LevelError, "stream is halted, and tried again every hour", "code", e.Code, "error", e.Detail,
			"do", "fix what the error names; dfinery-kafka resume "+e.Stream+" tries at once")
	case schedule.StreamResumed:
		return line(slog.LevelInfo, "stream resumes")
	case schedule.ExclusiveSuspected:
		return line(slog.LevelWarn, "days without rows have some when they are exported together: exporting them once more before to_date is judged",
			"rows", e.Count, "do", "nothing yet")
	case schedule.ExclusiveFound:
		return line(slog.LevelError, "stream is halted", "rows", e.Count, "error", e.Detail, "do", "set DFINERY_TO_DATE=exclusive and start again")
	case schedule.IdentityChanged:
		return line(slog.LevelWarn, "the stream's properties, topic or hidden columns have changed: its days in reach are published again", "days", e.Count, "rows", e.Rows, "calls", e.Count,
			"do", "nothing, if that was meant; consumers get the rows of these days again, with other ids")
	}
	switch e.Kind {
	case schedule.KeyRefused:
		return line(slog.LevelError, "stream is halted: its hidden cells were hashed with another key", "code", e.Code, "error", e.Detail,
			"do", "mount the former key and restart; dfinery-kafka resume "+e.Stream+" accepts the new one, and publishes the days in reach again")
	case schedule.SettingChanged:
		return line(slog.LevelWarn, "the stream's settings have changed", "meaning", e.Detail, "do", "nothing, if that was meant")
	case schedule.DaysLack:
		return line(slog.LevelWarn, "settled days lack events that the stream exports now", "events", e.EventName, "days", e.Count, "range", e.Detail, "calls", e.Count,
			"do", "dfinery-kafka backfill "+e.Stream+" --changed exports them again")
	case schedule.NameUnknown:
		return line(slog.LevelWarn, "a name of the stream's filter never occurs", "meaning", e.Unknown(), "do", "correct STREAM_…_EVENTS or _PROPERTIES, or remove the name")
	case schedule.StreamRemoved:
		return line(slog.LevelWarn, "a stream is no longer configured: its days are not exported; its topic is not deleted", "do", "nothing, if that was meant; within 30 days it can be configured again and goes on")
	}
	return line(slog.LevelInfo, "schedule changed", "kind", e.Kind)
}
