package ledger

// The parts of a record are copied from one record to the next. So each of them preserves
// unknown members, like the records.

// The parts without their methods: decode and Encode would call these again.
type (
	plainStream     Stream
	plainTruncation Truncation
	plainDueFrom    DueFrom
	plainSchemas    Schemas
	plainSettings   Settings
	plainHalt       Halt
	plainWait       Wait
	plainMark       Mark
	plainSlice      Slice
	plainFault      Fault
	plainProfiles   Profiles
	plainComplete   Complete
	plainDeletion   Deletion
	plainApproval   Approval
	plainStillBad   StillBad
	plainColumns    Columns
	plainPace       Pace
)

// UnmarshalJSON implements json.Unmarshaler and preserves unknown members.
func (s *Stream) UnmarshalJSON(b []byte) error { return decode(b, (*plainStream)(s)) }

// MarshalJSON implements json.Marshaler.
func (s Stream) MarshalJSON() ([]byte, error) { return Encode((*plainStream)(&s)) }

// UnmarshalJSON implements json.Unmarshaler and preserves unknown members.
func (c *Truncation) UnmarshalJSON(b []byte) error { return decode(b, (*plainTruncation)(c)) }

// MarshalJSON implements json.Marshaler.
func (c Truncation) MarshalJSON() ([]byte, error) { return Encode((*plainTruncation)(&c)) }

// UnmarshalJSON implements json.Unmarshaler and preserves unknown members.
func (d *DueFrom) UnmarshalJSON(b []byte) error { return decode(b, (*plainDueFrom)(d)) }

// MarshalJSON implements json.Marshaler.
func (d DueFrom) MarshalJSON() ([]byte, error) { return Encode((*plainDueFrom)(&d)) }

// UnmarshalJSON implements json.Unmarshaler and preserves unknown members.
func (s *Schemas) UnmarshalJSON(b []byte) error { return decode(b, (*plainSchemas)(s)) }

// MarshalJSON implements json.Marshaler.
func (s Schemas) MarshalJSON() ([]byte, error) { return Encode((*plainSchemas)(&s)) }

// UnmarshalJSON implements json.Unmarshaler and preserves unknown members.
func (p *Settings) UnmarshalJSON(b []byte) error { return decode(b, (*plainSettings)(p)) }

// MarshalJSON implements json.Marshaler.
func (p Settings) MarshalJSON() ([]byte, error) { return Encode((*plainSettings)(&p)) }

// UnmarshalJSON implements json.Unmarshaler and preserves unknown members.
func (h *Halt) UnmarshalJSON(b []byte) error { return decode(b, (*plainHalt)(h)) }

// MarshalJSON implements json.Marshaler.
func (h Halt) MarshalJSON() ([]byte, error) { return Encode((*plainHalt)(&h)) }

// UnmarshalJSON implements json.Unmarshaler and preserves unknown members.
func (w *Wait) UnmarshalJSON(b []byte) error { return decode(b, (*plainWait)(w)) }

// MarshalJSON implements json.Marshaler.
func (w Wait) MarshalJSON() ([]byte, error) { return Encode((*plainWait)(&w)) }

// UnmarshalJSON implements json.Unmarshaler and preserves unknown members.
func (m *Mark) UnmarshalJSON(b []byte) error { return decode(b, (*plainMark)(m)) }

// MarshalJSON implements json.Marshaler.
func (m Mark) MarshalJSON() ([]byte, error) { return Encode((*plainMark)(&m)) }

// UnmarshalJSON implements json.Unmarshaler and preserves unknown members.
func (s *Slice) UnmarshalJSON(b []byte) error { return decode(b, (*plainSlice)(s)) }

// MarshalJSON implements json.Marshaler.
func (s Slice) MarshalJSON() ([]byte, error) { return Encode((*plainSlice)(&s)) }

// UnmarshalJSON implements json.Unmarshaler and preserves unknown members.
func (f *Fault) UnmarshalJSON(b []byte) error { return decode(b, (*plainFault)(f)) }

// MarshalJSON implements json.Marshaler.
func (f Fault) MarshalJSON() ([]byte, error) { return Encode((*plainFault)(&f)) }

// UnmarshalJSON implements json.Unmarshaler and preserves unknown members.
func (p *Profiles) UnmarshalJSON(b []byte) error { return decode(b, (*plainProfiles)(p)) }

// MarshalJSON implements json.Marshaler.
func (p Profiles) MarshalJSON() ([]byte, error) { return Encode((*plainProfiles)(&p)) }

// UnmarshalJSON implements json.Unmarshaler and preserves unknown members.
func (c *Complete) UnmarshalJSON(b []byte) error { return decode(b, (*plainComplete)(c)) }

// MarshalJSON implements json.Marshaler.
func (c Complete) MarshalJSON() ([]byte, error) { return Encode((*plainComplete)(&c)) }

// UnmarshalJSON implements json.Unmarshaler and preserves unknown members.
func (d *Deletion) UnmarshalJSON(b []byte) error { return decode(b, (*plainDeletion)(d)) }

// MarshalJSON implements json.Marshaler.
func (d Deletion) MarshalJSON() ([]byte, error) { return Encode((*plainDeletion)(&d)) }

// UnmarshalJSON implements json.Unmarshaler and preserves unknown members.
func (a *Approval) UnmarshalJSON(b []byte) error { return decode(b, (*plainApproval)(a)) }

// MarshalJSON implements json.Marshaler.
func (a Approval) MarshalJSON() ([]byte, error) { return Encode((*plainApproval)(&a)) }

// UnmarshalJSON implements json.Unmarshaler and preserves unknown members.
func (s *StillBad) UnmarshalJSON(b []byte) error { return decode(b, (*plainStillBad)(s)) }

// MarshalJSON implements json.Marshaler.
func (s StillBad) MarshalJSON() ([]byte, error) { return Encode((*plainStillBad)(&s)) }

// UnmarshalJSON implements json.Unmarshaler and preserves unknown members.
func (c *Columns) UnmarshalJSON(b []byte) error { return decode(b, (*plainColumns)(c)) }

// MarshalJSON implements json.Marshaler.
func (c Columns) MarshalJSON() ([]byte, error) { return Encode((*plainColumns)(&c)) }

// UnmarshalJSON implements json.Unmarshaler and preserves unknown members.
func (p *Pace) UnmarshalJSON(b []byte) error { return decode(b, (*plainPace)(p)) }

// MarshalJSON implements json.Marshaler.
func (p Pace) MarshalJSON() ([]byte, error) { return Encode((*plainPace)(&p)) }
