package ledger

// The parts of a record are copied from one record to the next. So each of them preserves unknown members, like the records.

// UnmarshalJSON implements json.Unmarshaler and preserves unknown members.
func (s *Stream) UnmarshalJSON(value []byte) error {
	type plain Stream
	return decode(value, (*plain)(s))
}

// MarshalJSON implements json.Marshaler.
func (s Stream) MarshalJSON() ([]byte, error) {
	type plain Stream
	return Encode((*plain)(&s))
}

// UnmarshalJSON implements json.Unmarshaler and preserves unknown members.
func (c *Truncation) UnmarshalJSON(value []byte) error {
	type plain Truncation
	return decode(value, (*plain)(c))
}

// MarshalJSON implements json.Marshaler.
func (c Truncation) MarshalJSON() ([]byte, error) {
	type plain Truncation
	return Encode((*plain)(&c))
}

// UnmarshalJSON implements json.Unmarshaler and preserves unknown members.
func (d *DueFrom) UnmarshalJSON(value []byte) error {
	type plain DueFrom
	return decode(value, (*plain)(d))
}

// MarshalJSON implements json.Marshaler.
func (d DueFrom) MarshalJSON() ([]byte, error) {
	type plain DueFrom
	return Encode((*plain)(&d))
}

// UnmarshalJSON implements json.Unmarshaler and preserves unknown members.
func (s *Schemas) UnmarshalJSON(value []byte) error {
	type plain Schemas
	return decode(value, (*plain)(s))
}

// MarshalJSON implements json.Marshaler.
func (s Schemas) MarshalJSON() ([]byte, error) {
	type plain Schemas
	return Encode((*plain)(&s))
}

// UnmarshalJSON implements json.Unmarshaler and preserves unknown members.
func (p *Settings) UnmarshalJSON(value []byte) error {
	type plain Settings
	return decode(value, (*plain)(p))
}

// MarshalJSON implements json.Marshaler.
func (p Settings) MarshalJSON() ([]byte, error) {
	type plain Settings
	return Encode((*plain)(&p))
}

// UnmarshalJSON implements json.Unmarshaler and preserves unknown members.
func (h *Halt) UnmarshalJSON(value []byte) error {
	type plain Halt
	return decode(value, (*plain)(h))
}

// MarshalJSON implements json.Marshaler.
func (h Halt) MarshalJSON() ([]byte, error) {
	type plain Halt
	return Encode((*plain)(&h))
}

// UnmarshalJSON implements json.Unmarshaler and preserves unknown members.
func (w *Wait) UnmarshalJSON(value []byte) error {
	type plain Wait
	return decode(value, (*plain)(w))
}

// MarshalJSON implements json.Marshaler.
func (w Wait) MarshalJSON() ([]byte, error) {
	type plain Wait
	return Encode((*plain)(&w))
}

// UnmarshalJSON implements json.Unmarshaler and preserves unknown members.
func (m *Mark) UnmarshalJSON(value []byte) error {
	type plain Mark
	return decode(value, (*plain)(m))
}

// MarshalJSON implements json.Marshaler.
func (m Mark) MarshalJSON() ([]byte, error) {
	type plain Mark
	return Encode((*plain)(&m))
}

// UnmarshalJSON implements json.Unmarshaler and preserves unknown members.
func (s *Slice) UnmarshalJSON(value []byte) error {
	type plain Slice
	return decode(value, (*plain)(s))
}

// MarshalJSON implements json.Marshaler.
func (s Slice) MarshalJSON() ([]byte, error) {
	type plain Slice
	return Encode((*plain)(&s))
}

// UnmarshalJSON implements json.Unmarshaler and preserves unknown members.
func (f *Fault) UnmarshalJSON(value []byte) error {
	type plain Fault
	return decode(value, (*plain)(f))
}

// MarshalJSON implements json.Marshaler.
func (f Fault) MarshalJSON() ([]byte, error) {
	type plain Fault
	return Encode((*plain)(&f))
}

// UnmarshalJSON implements json.Unmarshaler and preserves unknown members.
func (p *Profiles) UnmarshalJSON(value []byte) error {
	type plain Profiles
	return decode(value, (*plain)(p))
}

// MarshalJSON implements json.Marshaler.
func (p Profiles) MarshalJSON() ([]byte, error) {
	type plain Profiles
	return Encode((*plain)(&p))
}

// UnmarshalJSON implements json.Unmarshaler and preserves unknown members.
func (c *Complete) UnmarshalJSON(value []byte) error {
	type plain Complete
	return decode(value, (*plain)(c))
}

// MarshalJSON implements json.Marshaler.
func (c Complete) MarshalJSON() ([]byte, error) {
	type plain Complete
	return Encode((*plain)(&c))
}

// UnmarshalJSON implements json.Unmarshaler and preserves unknown members.
func (d *Deletion) UnmarshalJSON(value []byte) error {
	type plain Deletion
	return decode(value, (*plain)(d))
}

// MarshalJSON implements json.Marshaler.
func (d Deletion) MarshalJSON() ([]byte, error) {
	type plain Deletion
	return Encode((*plain)(&d))
}

// UnmarshalJSON implements json.Unmarshaler and preserves unknown members.
func (a *Approval) UnmarshalJSON(value []byte) error {
	type plain Approval
	return decode(value, (*plain)(a))
}

// MarshalJSON implements json.Marshaler.
func (a Approval) MarshalJSON() ([]byte, error) {
	type plain Approval
	return Encode((*plain)(&a))
}

// UnmarshalJSON implements json.Unmarshaler and preserves unknown members.
func (s *StillBad) UnmarshalJSON(value []byte) error {
	type plain StillBad
	return decode(value, (*plain)(s))
}

// MarshalJSON implements json.Marshaler.
func (s StillBad) MarshalJSON() ([]byte, error) {
	type plain StillBad
	return Encode((*plain)(&s))
}

// UnmarshalJSON implements json.Unmarshaler and preserves unknown members.
func (c *Columns) UnmarshalJSON(value []byte) error {
	type plain Columns
	return decode(value, (*plain)(c))
}

// MarshalJSON implements json.Marshaler.
func (c Columns) MarshalJSON() ([]byte, error) {
	type plain Columns
	return Encode((*plain)(&c))
}

// UnmarshalJSON implements json.Unmarshaler and preserves unknown members.
func (p *Pace) UnmarshalJSON(value []byte) error {
	type plain Pace
	return decode(value, (*plain)(p))
}

// MarshalJSON implements json.Marshaler.
func (p Pace) MarshalJSON() ([]byte, error) {
	type plain Pace
	return Encode((*plain)(&p))
}
