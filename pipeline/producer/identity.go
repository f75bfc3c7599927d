package producer

import "fmt"

// Identity is what the broker knows a producer by. Appends of an older epoch of the same id are refused.
type Identity struct {
	ID    int64
	Epoch int16
}

func (i Identity) String() string { return fmt.Sprintf("producer %d epoch %d", i.ID, i.Epoch) }
