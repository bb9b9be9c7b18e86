package supervisor

import (
	"os"
	"strconv"
	"sync"
	"syscall"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/container/kernfile"
	"github.com/meseta/meseta/internal/container/spawn"
	"github.com/meseta/meseta/internal/container/track"
)

// machine is what isolation needs to know of this process and this kernel. It does
// not change, and is not asked for before the first container that wants it.
type machine struct {
	init     int // the program of that name, an open file
	initErr  error
	caps     container.Capabilities // this process's own
	known    container.Capabilities // to this kernel
	hasShmem bool                   // there is a /dev/shm
}

var theMachine = sync.OnceValue(func() *machine {
	m := &machine{caps: ownCapabilities(), known: 1<<(lastCapability()+1) - 1}
	m.init, m.initErr = spawn.InitProgram()
	_, err := os.Stat("/dev/shm")
	m.hasShmem = err == nil
	return m
})

// isolate adds what keeps the container apart from others.
func (s *server) isolate(spec *container.Spec, c *spawn.Command) {
	if spec.Namespaces == 0 && spec.Capabilities == nil {
		return
	}
	m := theMachine()
	if spec.Namespaces&(container.NamespaceMount|container.NamespacePID) != 0 {
		c.CloneFlags |= syscall.CLONE_NEWNS
		for _, b := range spec.Binds {
			c.Mounts = append(c.Mounts, spawn.Mount(b))
		}
	}
	if spec.Namespaces&container.NamespaceIPC != 0 {
		c.CloneFlags |= syscall.CLONE_NEWIPC
		if c.CloneFlags&syscall.CLONE_NEWNS != 0 && m.hasShmem {
			c.Mounts = append(c.Mounts, spawn.Mount{Target: "/dev/shm"})
		}
	}
	if spec.Capabilities != nil {
		c.Capabilities = m.capabilities(*spec.Capabilities, spec.User)
	}
}

// capabilities bounds a container to a set. Root is left what is in it, another
// user nothing.
func (m *machine) capabilities(bound container.Capabilities, user *container.User) *spawn.Capabilities {
	caps := &spawn.Capabilities{Drop: uint64(m.known &^ bound)}
	if user == nil && os.Geteuid() == 0 || user != nil && user.UID == 0 {
		caps.Keep = uint64(m.caps & bound)
	}
	return caps
}

// startInit starts the init of a container's pid namespace and returns the namespace
// as an open file. The init is tracked with the container, but as it does nothing,
// it need not be in the cgroups that only limit: joining one takes long.
func (s *server) startInit(spawner *spawn.Spawner, id container.ID, c *spawn.Command, tracked []string) (namespace int, err error) {
	m := theMachine()
	if m.initErr != nil {
		return 0, &spawn.Error{Step: spawn.StepNamespaces, Errno: m.initErr.(syscall.Errno), What: "the init of a pid namespace"}
	}
	init := &spawn.Command{
		Init: m.init, Argv: []string{"meseta init"}, Env: track.Marks(c.Env), Dir: "/",
		ResetOOM: c.ResetOOM, Cgroup: c.Cgroup, JoinCgroups: tracked,
	}
	pid, err := spawner.Start(init)
	if err != nil {
		if failed, ok := err.(*spawn.Error); ok && failed.Step == spawn.StepExec {
			failed.Step = spawn.StepNamespaces
		}
		return 0, err
	}
	s.mains.initBorn(spawner, id, pid)
	path := "/proc/" + strconv.Itoa(pid) + "/ns/pid"
	namespace, err = kernfile.Open(path, syscall.O_RDONLY)
	if err == nil && !s.mains.hasInit(id, pid) {
		syscall.Close(namespace) // it may be another's by now
		err = syscall.ESRCH
	}
	if err != nil {
		return 0, &spawn.Error{Step: spawn.StepNamespaces, Errno: err.(syscall.Errno), What: path}
	}
	return namespace, nil
}
