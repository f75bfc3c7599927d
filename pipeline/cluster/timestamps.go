package cluster

import (
	"fmt"
	"strconv"
	"time"
)

// leastTimestampRange is the minimum difference that a topic must allow between the time of a
// record and the broker's clock. A takeover's marker reaches the leader with a delay; if the
// leader refuses it, the transaction never ends, and no partition can be fenced.
const leastTimestampRange = time.Minute

// TimestampError reports a topic that refuses timestamps which differ slightly from its
// broker's clock.
type TimestampError struct{ Topic, Config, Have string }

func (e *TimestampError) Error() string {
	return fmt.Sprintf("topic %s has %s=%s: it would refuse records, and permanently refuse the markers of takeovers; at least %d are required, or message.timestamp.type=LogAppendTime",
		e.Topic, e.Config, e.Have, leastTimestampRange.Milliseconds())
}

// TimestampFault returns a *TimestampError for a topic that refuses timestamps which differ
// slightly from its broker's clock; nil for others, and if the configuration is unknown.
func (c *TopicConfig) TimestampFault() error {
	if c.TimestampType != "CreateTime" {
		return nil
	}
	for _, config := range []string{"message.timestamp.before.max.ms", "message.timestamp.after.max.ms", "message.timestamp.difference.max.ms"} {
		have, err := strconv.ParseInt(c.Values[config], 10, 64)
		if err == nil && have >= 0 && have < leastTimestampRange.Milliseconds() {
			return &TimestampError{c.Name, config, c.Values[config]}
		}
	}
	return nil
}
