package producer

import "fmt"

// Identity is a producer id with its epoch. The broker refuses appends of an older epoch of the
// same id.
type Identity struct {
	ID    int64
	Epoch int16
}

func (i Identity) String() string { return fmt.Sprintf("producer %d epoch %d", i.ID, i.Epoch) }
