package fetch

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// User is whose rights to use, in numbers.
type User struct {
	UID, GID uint32
	Groups   []uint32 // supplementary groups
}

// asUser runs f on a thread that has the user's identity for the file system: what f creates belongs
// to the user, and the kernel lets f open only what it would let the user open. Files that are
// open already can be used freely. It returns what f returns.
//
// This is the fsuid of setfsuid(2), not the uid: signals and ptrace do not go by it, so the user gains
// no hold on the thread.
func asUser(user *User, f func() error) error {
	change, err := mustChange(user, os.Geteuid(), os.Getegid())
	if err != nil {
		return err
	}
	if !change {
		return f()
	}
	result := make(chan error, 1)
	go func() { result <- onThreadOf(user, f) }()
	return <-result
}

// mustChange says whether a process with these effective ids has to change to act for the user. It does
// not if it is the user: supplementary groups then make no difference, or, without root, cannot be had.
func mustChange(user *User, euid, egid int) (bool, error) {
	switch {
	case user == nil, int(user.UID) == euid && (euid != 0 || int(user.GID) == egid):
		return false, nil
	case euid == 0:
		return true, nil
	}
	return false, fmt.Errorf("fetch as uid %d: this process has uid %d, and only root can act for others", user.UID, euid)
}

// onThreadOf changes the thread of its goroutine and changes it back. Should the latter fail, the
// thread stays locked and so ends with the goroutine.
func onThreadOf(user *User, f func() error) error {
	runtime.LockOSThread()
	groups, err := unix.Getgroups()
	if err != nil {
		return fmt.Errorf("read own groups: %w", err)
	}
	back := identity{uid: os.Geteuid(), gid: os.Getegid(), groups: groups}
	defer func() {
		if back.take() == nil {
			runtime.UnlockOSThread()
		}
	}()
	if err := user.identity().take(); err != nil {
		return fmt.Errorf("fetch as uid %d: %w", user.UID, err)
	}
	return f()
}

// identity is who a thread is for the file system.
type identity struct {
	uid, gid int
	groups   []int
}

func (u *User) identity() identity {
	who := identity{uid: int(u.UID), gid: int(u.GID)}
	for _, group := range u.Groups {
		who.groups = append(who.groups, int(group))
	}
	return who
}

// take makes this thread, and no other, act as who. Groups come first, since they need root's
// privileges.
func (who identity) take() error {
	if err := unix.Setgroups(who.groups); err != nil {
		return fmt.Errorf("set groups: %w", err)
	}
	// These two say nothing of failure; asked for the impossible, they tell who the thread is.
	unix.Setfsgid(who.gid)
	unix.Setfsuid(who.uid)
	gid, _ := unix.SetfsgidRetGid(-1)
	uid, _ := unix.SetfsuidRetUid(-1)
	if uid != who.uid || gid != who.gid {
		return errors.New("the kernel refuses to change the user for the file system")
	}
	return nil
}
