package cluster

import (
	"fmt"
	"strconv"
	"time"
)

// leastTimestampRange is the least difference that a topic has to allow between the time of a record and the broker's clock. A takeover's
// marker is as old as it takes to reach the leader; when that refuses it, the transaction never ends, and no partition can be fenced.
const leastTimestampRange = time.Minute

// TimestampError says that a topic takes no time but nearly its broker's own.
type TimestampError struct{ Topic, Config, Have string }

func (e *TimestampError) Error() string {
	return fmt.Sprintf("topic %s has %s=%s: it would refuse records, and the markers of takeovers for good; at least %d are needed, or message.timestamp.type=LogAppendTime",
		e.Topic, e.Config, e.Have, leastTimestampRange.Milliseconds())
}

// TimestampFault is a *TimestampError for a topic that refuses times which differ a little from its broker's clock; nil for others, and
// where the configuration is not known.
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
