package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// Simulator simulates the Export API of one service.
type Simulator struct {
	Addr                string // host:port
	Service, Token      string
	Days, Rows, Columns int
	CallsPerHour        int // -1: no limit
	FailEvery, CutEvery int // 0: never
	BadRows             bool
	Late                float64 // share of the rows
	LateAfter           time.Duration
	Out                 io.Writer // for the variables with which it is reached
}

const (
	minColumns = 6
	maxDays    = schema.Reach + 1
)

func (s *Simulator) check() error {
	switch {
	case s.Days < 1 || s.Days > maxDays:
		return fmt.Errorf("-days %d: choose 1 to %d, the API exports no older ones", s.Days, maxDays)
	case s.Rows < 0:
		return fmt.Errorf("-rows %d: choose 0 or more", s.Rows)
	case s.Columns < minColumns:
		return fmt.Errorf("-columns %d: choose %d or more", s.Columns, minColumns)
	case s.CallsPerHour < -1 || s.CallsPerHour == 0:
		return fmt.Errorf("-quota %d: choose 1 or more, or -1 for no limit", s.CallsPerHour)
	case s.FailEvery < 0 || s.CutEvery < 0:
		return errors.New("-fail-every and -cut-every: choose 0 or more")
	case s.Late < 0 || s.Late > 1:
		return fmt.Errorf("-late %v: choose 0 to 1", s.Late)
	}
	return nil
}

// zone is the time zone of the simulated service.
var zone = time.FixedZone("Asia/Seoul", 9*3600)

// Run serves until ctx ends.
func (s *Simulator) Run(ctx context.Context) error {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", s.Addr)
	if err != nil {
		return err
	}
	first := schema.DayOf(time.Now(), zone) - schema.Day(s.Days) + 1
	api := &exporttest.Server{
		Service: s.Service, Token: s.Token, Faults: s.fault, Limits: exporttest.Limits{PerHour: s.CallsPerHour},
		Data: exporttest.Data{
			Seed: 7, Columns: s.Columns, Location: zone, Live: true, Odd: 0.05, Duplicates: 0.01, Late: s.Late, LateAfter: s.LateAfter,
			RowsOn: func(day schema.Day) int {
				if day < first {
					return 0
				}
				return s.Rows
			},
		},
	}
	server := &http.Server{Handler: api, ReadHeaderTimeout: time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	s.printVariables(l.Addr().String())
	select {
	case err = <-ended:
		return err
	case <-ctx.Done():
	}
	err = server.Close()
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// printVariables prints the variables for using the simulator.
func (s *Simulator) printVariables(address string) {
	fmt.Fprintf(s.Out, "# Export API simulator, %d rows a day. Set these and KAFKA_BROKERS, then: dfinery-kafka run\n", s.Rows)
	fmt.Fprintf(s.Out, "export DFINERY_BASE_URL=http://%s\n", address)
	fmt.Fprintf(s.Out, "export DFINERY_SERVICE_ID=%s\n", s.Service)
	fmt.Fprintf(s.Out, "export DFINERY_EXPORT_TOKEN=%s\n", s.Token)
}

func (s *Simulator) fault(c exporttest.Call) *exporttest.Fault {
	switch {
	case s.FailEvery > 0 && c.N%s.FailEvery == 0:
		return &exporttest.Fault{Code: schema.QueryError}
	case s.CutEvery > 0 && c.N%s.CutEvery == 0 && s.Rows > 0:
		return &exporttest.Fault{Then: exporttest.Close, AfterRow: s.Rows / 4, At: 40}
	case s.BadRows && s.Rows > 10 && (c.Kind == schema.UserProfile || c.Query.To.End(zone).Before(c.At)):
		return &exporttest.Fault{BadRows: []exporttest.BadRow{{After: 10, Kind: exporttest.FewerFields}}}
	}
	return nil
}
