package main

import (
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/meseta/meseta/internal/spark/masterd"
	"github.com/meseta/meseta/internal/spark/workerd"
)

func newSpark() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "spark",
		GroupID: "cluster",
		Short:   "Run the daemons of a Spark standalone cluster",
		Long: "Run the daemons of a Spark standalone cluster, in place of Spark's own or beside them.\n" +
			"spark-submit, pyspark and Spark's own Masters and Workers, 3.5 and 4.0, use them unmodified.",
		Example: "  meseta spark worker spark://127.0.0.1:7077",
	}
	logger := func(cmd *cobra.Command) *slog.Logger { return newLogger(cmd, slog.LevelInfo) }
	cmd.AddCommand(masterd.NewCommand(logger), workerd.NewCommand(logger))
	return cmd
}
