package schema

// The columns that STREAM_X_META=true adds to each value, for sinks that drop headers.
const (
	MetaID      = "_id"      // the record header "id"
	MetaDay     = "_day"     // the row's day
	MetaStream  = "_stream"  // the stream's name
	MetaService = "_service" // the service's id
)

// MetaColumns returns their names, in the order of the value.
func MetaColumns() []string { return []string{MetaID, MetaDay, MetaStream, MetaService} }
