package schema

// Contract decides what happens when a header has columns that the stream never had.
type Contract string

// The values of STREAM_X_CONTRACT.
const (
	ContractEvolve Contract = "evolve" // they are published
	ContractWarn   Contract = "warn"   // they are published, with a warning
	ContractFreeze Contract = "freeze" // the stream is halted before the first row
)
