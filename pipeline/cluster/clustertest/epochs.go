// Package clustertest makes the embedded Kafka of tests behave like Apache Kafka.
package clustertest

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// RefuseOldEpochs makes kfake refuse InitProducerId with an older epoch, as Apache Kafka does
// (KIP-360).
func RefuseOldEpochs(fake *kfake.Cluster) {
	epochs := map[string]int16{}
	fake.ControlKey(int16(kmsg.InitProducerID), func(r kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		req := r.(*kmsg.InitProducerIDRequest)
		if req.TransactionalID == nil {
			return nil, nil, false
		}
		epoch, known := epochs[*req.TransactionalID]
		if known && req.ProducerEpoch >= 0 && req.ProducerEpoch < epoch {
			res := req.ResponseKind().(*kmsg.InitProducerIDResponse)
			res.ErrorCode = kerr.ProducerFenced.Code
			return res, nil, true
		}
		if known {
			epoch++
		}
		epochs[*req.TransactionalID] = epoch
		return nil, nil, false
	})
}
