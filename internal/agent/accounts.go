package agent

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"sync"
	"time"

	"github.com/meseta/meseta/internal/container"
)

// accounts looks up whom tasks run as. Only root can run anything as somebody else; an agent of an ordinary
// user, or one that is told not to switch, runs everything as itself, whatever account is asked for.
type accounts struct {
	switches bool // immutable

	mu    sync.Mutex
	known map[string]account
}

// account is the result of a lookup, good for a while.
type account struct {
	user    *container.User
	problem string
	until   time.Time
}

const (
	accountLife = 10 * time.Second // how long a lookup is believed
	maxAccounts = 1000
)

func newAccounts(switches bool) *accounts {
	return &accounts{switches: switches && os.Geteuid() == 0, known: make(map[string]account)}
}

// problem says why nothing can run as the user; "" if it can.
func (a *accounts) problem(name string) string {
	_, problem := a.find(name)
	return problem
}

// find gives the numbers of a user; nil for the agent's own.
func (a *accounts) find(name string) (*container.User, string) {
	if !a.switches || name == "" {
		return nil, ""
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	if known, ok := a.known[name]; ok && now.Before(known.until) {
		return known.user, known.problem
	}
	found := lookUp(name)
	found.until = now.Add(accountLife)
	if len(a.known) >= maxAccounts {
		clear(a.known)
	}
	a.known[name] = found
	return found.user, found.problem
}

// lookUp asks the machine.
func lookUp(name string) account {
	u, err := user.Lookup(name)
	if err != nil {
		return account{problem: fmt.Sprintf("No such user '%s'", name)}
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return account{problem: fmt.Sprintf("User '%s' has the uid %q, expected a number", name, u.Uid)}
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return account{problem: fmt.Sprintf("User '%s' has the gid %q, expected a number", name, u.Gid)}
	}
	found := &container.User{UID: uint32(uid), GID: uint32(gid)}
	groups, err := u.GroupIds()
	if err != nil {
		return account{problem: fmt.Sprintf("Failed to look up the groups of user '%s': %v", name, err)}
	}
	for _, g := range groups {
		if n, err := strconv.ParseUint(g, 10, 32); err == nil {
			found.Groups = append(found.Groups, uint32(n))
		}
	}
	if uid == 0 {
		return account{} // root runs as root already
	}
	return account{user: found}
}
