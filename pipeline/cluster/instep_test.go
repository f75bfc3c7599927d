package cluster

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"testing/iotest"
)

func requestFrame(id int32, body int) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(8+body))
	b = append(b, 0, 3, 0, 4) // kind and version
	b = binary.BigEndian.AppendUint32(b, uint32(id))
	return append(b, make([]byte, body)...)
}

func answerFrame(id int32, body int) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(4+body))
	b = binary.BigEndian.AppendUint32(b, uint32(id))
	return append(b, make([]byte, body)...)
}

// piped is a connection from which answers can be read. It records whether it was closed.
type piped struct {
	net.Conn
	answers io.Reader
	closed  bool
}

func (p *piped) Read(b []byte) (int, error)  { return p.answers.Read(b) }
func (p *piped) Write(b []byte) (int, error) { return len(b), nil }
func (p *piped) Close() error                { p.closed = true; return nil }

// TestInStep: an answer whose correlation id is not that of the next request ends the connection
// before the answer is decoded.
func TestInStep(t *testing.T) {
	tests := map[string]struct {
		requests, answers []int32
		read              int // answers that are read
	}{
		"one":             {[]int32{1}, []int32{1}, 1},
		"in order":        {[]int32{1, -7, 2}, []int32{1, -7, 2}, 3},
		"twice":           {[]int32{1, 2}, []int32{1, 1}, 1},
		"out of order":    {[]int32{1, 2}, []int32{2, 1}, 0},
		"no request":      {nil, []int32{1}, 0},
		"a former answer": {[]int32{3}, []int32{2, 3}, 0},
	}
	for name, test := range tests {
		for _, pieces := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				var requests, answers []byte
				for _, id := range test.requests {
					requests = append(requests, requestFrame(id, int(id&7)*5)...)
				}
				valid := 0
				for i, id := range test.answers {
					answers = append(answers, answerFrame(id, int(id&7)*3)...)
					if i < test.read {
						valid = len(answers)
					}
				}
				under := &piped{answers: bytes.NewReader(answers)}
				if pieces {
					under.answers = iotest.OneByteReader(under.answers)
				}
				c := &inStep{Conn: under}
				for len(requests) > 0 {
					n := min(len(requests), 5)
					if _, err := c.Write(requests[:n]); err != nil {
						t.Fatal(err)
					}
					requests = requests[n:]
				}
				got, err := io.ReadAll(c)
				if test.read == len(test.answers) {
					if err != nil || len(got) != len(answers) {
						t.Errorf("read %d bytes of %d, then %v", len(got), len(answers), err)
					}
					return
				}
				if !errors.Is(err, io.ErrUnexpectedEOF) || !under.closed || !Retriable(err) {
					t.Errorf("error %v, want one that is retried, and the connection closed", err)
				}
				if len(got) > valid+8 { // the header of the wrong answer may be read in single bytes
					t.Errorf("%d bytes were returned, the valid answers have %d", len(got), valid)
				}
			})
		}
	}
}
