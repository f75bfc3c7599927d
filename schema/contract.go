package schema

// Contract says what becomes of a header with columns that its stream never had.
type Contract string

// The values of STREAM_X_CONTRACT.
const (
	ContractEvolve Contract = "evolve" // they are published
	ContractWarn   Contract = "warn"   // they are published, with a warning
	ContractFreeze Contract = "freeze" // the stream is halted before the first row
)
