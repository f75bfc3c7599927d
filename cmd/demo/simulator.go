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

// Simulator is the API alone: a service whose events keep coming, and whose database and link fail now and then.
type Simulator struct {
	Addr string // host:port
	Rows int    // of a day
	Out  io.Writer
}

// Of so many calls one has its query fail, and one its download broken off.
const (
	failsEvery = 12
	cutsEvery  = 17
)

// Run serves until ctx ends.
func (s Simulator) Run(ctx context.Context) error {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", s.Addr)
	if err != nil {
		return err
	}
	api := &exporttest.Server{
		Service: service, Token: token, Faults: s.fault,
		Data: exporttest.Data{Seed: 7, RowsPerDay: s.Rows, Columns: 16, Live: true, Odd: 0.05, Duplicates: 0.01, Late: 0.02, LateAfter: time.Hour},
	}
	server := &http.Server{Handler: api, ReadHeaderTimeout: time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	fmt.Fprintf(s.Out, "the API of service %s at http://%s, token %s\n", service, l.Addr(), token)
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

func (s Simulator) fault(c exporttest.Call) *exporttest.Fault {
	switch {
	case c.N%failsEvery == 0:
		return &exporttest.Fault{Code: schema.QueryError}
	case c.N%cutsEvery == 0:
		return &exporttest.Fault{Then: exporttest.Close, AfterRow: s.Rows / 4, At: 40}
	}
	return &exporttest.Fault{BadRows: []exporttest.BadRow{{After: 10, Kind: exporttest.FewerFields}}}
}
