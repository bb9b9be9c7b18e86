package cli

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/demand"
)

// commandInfo is the command as its agent is to run it, but for what depends on the offer.
func (o *RunOptions) commandInfo() (*mesos.CommandInfo, error) {
	c := &mesos.CommandInfo{Shell: new(false), Value: &o.Command[0], Arguments: o.Command}
	if o.User != "" {
		c.User = &o.User
	}
	for _, text := range o.URIs {
		uri, err := parseURI(text)
		if err != nil {
			return nil, err
		}
		c.Uris = append(c.Uris, uri)
	}
	for _, text := range o.Env {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("env %q: expected NAME=VALUE", text)
		}
		addVariable(c, name, value)
	}
	return c, nil
}

func addVariable(c *mesos.CommandInfo, name, value string) {
	if c.Environment == nil {
		c.Environment = new(mesos.Environment)
	}
	c.Environment.Variables = append(c.Environment.Variables, &mesos.Environment_Variable{Name: &name, Value: &value})
}

// demand is what one instance asks of an offer.
func (o *RunOptions) demand() (demand.Demand, error) {
	return demand.Of(o.CPUs, o.Mem, o.Disk, o.GPUs, o.Ports)
}

// taskName is what people see of a task beside its id.
func (o *RunOptions) taskName() string { return cmp.Or(o.Name, o.Command[0]) }

// completion is the time that an instance may take; nil for as long as it likes.
func (o *RunOptions) completion() *mesos.DurationInfo {
	if o.Timeout <= 0 {
		return nil
	}
	return &mesos.DurationInfo{Nanoseconds: new(o.Timeout.Nanoseconds())}
}

// parseURI reads URI[,OPTION=VALUE…]. What may hold a comma itself writes it as %2C.
func parseURI(text string) (*mesos.CommandInfo_URI, error) {
	value, options, _ := strings.Cut(text, ",")
	if value == "" {
		return nil, fmt.Errorf("uri %q: expected URI[,extract=BOOL][,executable=BOOL][,cache=BOOL][,output=NAME]", text)
	}
	uri := &mesos.CommandInfo_URI{Value: &value}
	if options == "" {
		return uri, nil
	}
	for option := range strings.SplitSeq(options, ",") {
		name, value, _ := strings.Cut(option, "=")
		switch name {
		case "output":
			if value == "" {
				return nil, fmt.Errorf("uri %q: output: expected the name of a file", text)
			}
			uri.OutputFile = &value
			continue
		case "extract", "executable", "cache":
		default:
			return nil, fmt.Errorf("uri %q: option %q: expected extract, executable, cache or output (a comma in a URI is written %%2C)", text, option)
		}
		yes, err := strconv.ParseBool(value)
		if err != nil {
			return nil, fmt.Errorf("uri %q: %s: expected true or false", text, option)
		}
		switch name {
		case "extract":
			uri.Extract = &yes
		case "executable":
			uri.Executable = &yes
		case "cache":
			uri.Cache = &yes
		}
	}
	return uri, nil
}
