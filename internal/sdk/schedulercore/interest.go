package schedulercore

import (
	"maps"
	"slices"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
)

// interest is in which of its roles a framework wants offers. Each SUBSCRIBE carries it, so that it
// survives the master that it was first told to.
type interest struct {
	suppressed map[string]struct{}
	told       bool // the present subscription's SUBSCRIBE says the same
}

// list is the suppressed roles in a defined order.
func (i *interest) list() []string { return slices.Sorted(maps.Keys(i.suppressed)) }

func (c *Core) suppress(roles []string) {
	if c.interest.suppressed == nil {
		c.interest.suppressed = make(map[string]struct{})
	}
	for _, r := range c.orAll(roles) {
		c.interest.suppressed[r] = struct{}{}
	}
	c.interest.told = false
	if c.connected() {
		c.sendSuppress(roles)
	}
}

func (c *Core) revive(roles []string) {
	for _, r := range c.orAll(roles) {
		delete(c.interest.suppressed, r)
	}
	c.interest.told = false
	if c.connected() {
		c.sendRevive(roles)
	}
}

func (c *Core) sendSuppress(roles []string) {
	c.send(&schedulerpb.Call{
		Type:     schedulerpb.Call_SUPPRESS.Enum(),
		Suppress: &schedulerpb.Call_Suppress{Roles: roles},
	})
}

func (c *Core) sendRevive(roles []string) {
	c.send(&schedulerpb.Call{
		Type:   schedulerpb.Call_REVIVE.Enum(),
		Revive: &schedulerpb.Call_Revive{Roles: roles},
	})
}

// tellInterest tells the master what changed between SUBSCRIBE and SUBSCRIBED.
func (c *Core) tellInterest() {
	if c.interest.told {
		return
	}
	c.interest.told = true
	suppressed := c.interest.list()
	if len(suppressed) > 0 {
		c.sendSuppress(suppressed)
	}
	if revived := c.without(c.roles, suppressed); len(revived) > 0 && c.connected() {
		c.sendRevive(revived)
	}
}

// stillWanted is what remains of a SUPPRESS or REVIVE that the master was too busy for, after what the
// framework has asked for since. It is nil if nothing does.
func (c *Core) stillWanted(call *schedulerpb.Call) *schedulerpb.Call {
	suppressed := c.interest.list()
	switch call.GetType() {
	case schedulerpb.Call_SUPPRESS:
		roles := c.without(c.orAll(call.GetSuppress().GetRoles()), c.without(c.roles, suppressed))
		if len(roles) == 0 {
			return nil
		}
		call.Suppress = &schedulerpb.Call_Suppress{Roles: roles}
	case schedulerpb.Call_REVIVE:
		roles := c.without(c.orAll(call.GetRevive().GetRoles()), suppressed)
		if len(roles) == 0 {
			return nil
		}
		call.Revive = &schedulerpb.Call_Revive{Roles: roles}
	}
	return call
}

// orAll is the given roles, or all of the framework's if none is given.
func (c *Core) orAll(roles []string) []string {
	if len(roles) == 0 {
		return c.roles
	}
	return roles
}

func (c *Core) without(roles, minus []string) []string {
	var left []string
	for _, r := range roles {
		if !slices.Contains(minus, r) {
			left = append(left, r)
		}
	}
	return left
}

// rolesOf are the roles that a framework subscribes to. The singular field with its default belongs to
// frameworks from before there could be several.
func rolesOf(f *mesos.FrameworkInfo) []string {
	if len(f.GetRoles()) > 0 || hasCapability(f, mesos.FrameworkInfo_Capability_MULTI_ROLE) {
		return slices.Clone(f.GetRoles())
	}
	return []string{f.GetRole()}
}

func hasCapability(f *mesos.FrameworkInfo, want mesos.FrameworkInfo_Capability_Type) bool {
	return slices.ContainsFunc(f.GetCapabilities(), func(have *mesos.FrameworkInfo_Capability) bool {
		return have.GetType() == want
	})
}
