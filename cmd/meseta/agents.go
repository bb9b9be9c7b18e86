package main

import (
	"github.com/spf13/cobra"

	"github.com/meseta/meseta/internal/cli"
)

func newAgents() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "agents",
		GroupID: "work",
		Short:   "List agents, show one, or say that one is gone",
		Example: "  meseta agents\n  meseta agents -o wide\n  meseta agents --watch=5s",
		Args:    none,
	}
	c, o := addClient(cmd), addList(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return c.new().Agents(cmd.Context(), c.screen(), *o)
	}
	cmd.AddCommand(newAgentsShow(), newAgentsGone())
	return cmd
}

func newAgentsGone() *cobra.Command {
	var sure bool
	cmd := &cobra.Command{
		Use:   "gone AGENT",
		Short: "Declare that an agent will never come back",
		Long: "Declare that an agent will never come back: nobody has to wait for its tasks any\n" +
			"more. Should it come back all the same, it ends all that it runs. AGENT is its id or\n" +
			"host name, or the beginning of its id; of one that was given up already the whole\n" +
			"id. On a terminal it asks first.",
		Example: "  meseta agents gone node-7\n  meseta agents gone --yes 3d3a24a8…-S0",
		Args:    one("agent", "meseta agents"),
	}
	c := addClient(cmd)
	c.completed(cli.AllAgents, false)
	cmd.Flags().BoolVarP(&sure, "yes", "y", false, "do not ask")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return c.new().MarkGone(cmd.Context(), c.screen(), args[0], sure)
	}
	return cmd
}

func newAgentsShow() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show AGENT",
		Short: "Show all there is to say about an agent",
		Long: "Show all there is to say about an agent. AGENT is its id or host name, or the\n" +
			"beginning of its id.",
		Example: "  meseta agents show node-7\n  meseta agents show 3d3a24a8…-S0 -o json",
		Args:    one("agent", "meseta agents"),
	}
	c, format := addClient(cmd), addFormat(cmd)
	c.completed(cli.AllAgents, false)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return c.new().ShowAgent(cmd.Context(), c.screen(), *format, args[0])
	}
	return cmd
}

func newOffers() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "offers",
		GroupID: "work",
		Short:   "List offers that are out",
		Long: "List offers that are out: what is neither free nor used, because a framework\n" +
			"thinks about it.",
		Example: "  meseta offers\n  meseta offers --watch",
		Args:    none,
	}
	c, o := addClient(cmd), addList(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return c.new().Offers(cmd.Context(), c.screen(), *o)
	}
	return cmd
}

func newEvents() *cobra.Command {
	var filter cli.Filter
	cmd := &cobra.Command{
		Use:     "events",
		GroupID: "work",
		Short:   "Print what happens, as it happens",
		Long: "Print what happens in the cluster, a line for each event, until Ctrl-C.\n\n" +
			"A filter is a kind (task, agent, framework), or KEY=VALUE: task=ID, agent=ID,\n" +
			"framework=ID, state=RUNNING. The beginning of an id is enough. Of several kinds\n" +
			"one must fit, of all else all.",
		Example: "  meseta events\n  meseta events -f task -f state=FAILED\n  meseta events -f framework=spark -o json",
		Args:    none,
	}
	c, format := addClient(cmd), addFormat(cmd)
	cmd.Flags().VarP(&filter, "filter", "f", "print only what fits (repeatable)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return c.new().Events(cmd.Context(), c.screen(), *format, &filter)
	}
	return cmd
}
