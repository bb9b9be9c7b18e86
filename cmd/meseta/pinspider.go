package main

import (
	"log/slog"
	"net"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meseta/meseta/examples/pinspider/crawler"
	"github.com/meseta/meseta/examples/pinspider/framework"
	"github.com/meseta/meseta/examples/pinspider/site"
)

func newPinspider() *cobra.Command {
	config := framework.Config{ExecutorArgs: []string{"pinspider-executor"}}
	cmd := &cobra.Command{
		Use:     "pinspider [flags] URL…",
		Hidden:  true,
		Short:   "Run the example framework, which crawls the pages of a pin-board site",
		Example: "  meseta pinspider --master 127.0.0.1:5050 --tasks 2 http://127.0.0.1:8000/ottoline/",
		Args:    cobra.MinimumNArgs(1),
	}
	master := addMaster(cmd)
	f := cmd.Flags()
	f.IntVar(&config.Tasks, "tasks", 5, "tasks to run; two read one URL")
	f.StringVar(&config.Listen, "listen", "127.0.0.1:0", "address at which agents get the executors")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		config.Masters, config.URLs = strings.Split(*master, ","), args
		if err := config.ReadEnvironment(os.LookupEnv); err != nil {
			return err
		}
		return framework.Run(cmd.Context(), config, cmd.OutOrStdout(), newLogger(cmd, slog.LevelInfo))
	}
	return cmd
}

func newPinspiderExecutor() *cobra.Command {
	return &cobra.Command{
		Use:     "pinspider-executor KIND",
		Hidden:  true,
		Short:   "Run an executor of the example framework (started by agents)",
		Example: "  meseta pinspider-executor profile",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			kind, err := crawler.ParseKind(args[0])
			if err != nil {
				return err
			}
			return crawler.Run(cmd.Context(), kind, newLogger(cmd, slog.LevelInfo))
		},
	}
}

func newPinspiderSite() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "pinspider-site [ADDRESS]",
		Hidden:  true,
		Short:   "Serve the pin-board site that the example framework crawls",
		Example: "  meseta pinspider-site 127.0.0.1:8000",
		Args:    cobra.MaximumNArgs(1),
	}
	ready := addReadyFD(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		address := "127.0.0.1:0"
		if len(args) > 0 {
			address = args[0]
		}
		return site.Run(cmd.Context(), address, func(at net.Addr) {
			for _, path := range site.Paths() {
				cmd.Printf("http://%s%s\n", at, path)
			}
			if tell := announce(*ready); tell != nil {
				tell(at.String())
			}
		})
	}
	return cmd
}
