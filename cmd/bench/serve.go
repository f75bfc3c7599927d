package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kfake"

	"dfinery-kafka/connector/exporttest"
)

// The service and token of the simulated API, and the records' key.
const (
	service   = "1234"
	token     = "export-token"
	keyColumn = "df_unified_id"
)

// serveCommand is the simulated Export API. It prints its URL and serves until its
// input ends, as it does when the parent ends.
func serveCommand() *cobra.Command {
	var f dataFlags
	cmd := &cobra.Command{Use: "serve", Hidden: true, Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
		data, _, err := f.open()
		if err != nil {
			return err
		}
		server := (&exporttest.Server{Service: service, Token: token, Data: data}).Start()
		defer server.Close()
		fmt.Println(server.URL)
		_, err = io.Copy(io.Discard, os.Stdin)
		return err
	}}
	f.flags(cmd)
	return cmd
}

// brokerCommand is the embedded broker; it ends in the same way.
func brokerCommand() *cobra.Command {
	return &cobra.Command{Use: "broker", Hidden: true, Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
		cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
		if err != nil {
			return err
		}
		defer cluster.Close()
		fmt.Println(strings.Join(cluster.ListenAddrs(), ","))
		_, err = io.Copy(io.Discard, os.Stdin)
		return err
	}}
}
