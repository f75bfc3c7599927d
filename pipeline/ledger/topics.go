package ledger

// RowsTopic is the name of the topic of fingerprints that belongs to a ledger topic.
func RowsTopic(ledgerTopic string) string { return ledgerTopic + ".rows" }
