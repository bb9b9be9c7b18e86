package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/meseta/meseta/internal/cli"
	"github.com/meseta/meseta/internal/operator"
)

// release is our version; releases are built with -ldflags "-X main.release=…".
var release = "development"

func newVersion() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  meseta version\n  meseta version -o json",
		Args:    cobra.NoArgs,
	}
	format := addFormat(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		v := struct {
			Version  string `json:"version"`
			Revision string `json:"revision,omitempty"`
			MesosAPI string `json:"mesos_api"`
			Go       string `json:"go"`
			Platform string `json:"platform"`
		}{release, revision(), operator.MesosVersion, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
		if *format == cli.JSON {
			e := json.NewEncoder(cmd.OutOrStdout())
			e.SetIndent("", "  ")
			return e.Encode(v)
		}
		fmt.Fprintf(cmd.OutOrStdout(), "meseta %s, Mesos API %s, %s, %s\n", v.Version, v.MesosAPI, v.Go, v.Platform)
		return nil
	}
	return cmd
}

// revision is the commit that the binary was built from, where the build knows it.
func revision() string {
	info, _ := debug.ReadBuildInfo()
	if info == nil {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return ""
}
