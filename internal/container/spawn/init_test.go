package spawn_test

import (
	"debug/elf"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/meseta/meseta/internal/container/spawn"
)

func TestInitProgramIsAnExecutable(t *testing.T) {
	fd, err := spawn.InitProgram()
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "init")
	defer f.Close()
	file, err := elf.NewFile(f)
	if err != nil {
		t.Fatal(err)
	}
	if file.Type != elf.ET_EXEC || len(file.Progs) != 1 || len(file.Sections) != 0 {
		t.Fatalf("expected an executable of one segment: %+v", file.FileHeader)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	p := file.Progs[0]
	if p.Type != elf.PT_LOAD || p.Flags != elf.PF_R|elf.PF_X || p.Filesz != uint64(info.Size()) || file.Entry <= p.Vaddr || file.Entry >= p.Vaddr+p.Filesz {
		t.Errorf("the segment is %+v, begun at %#x", p.ProgHeader, file.Entry)
	}
}

func TestInitOutlivesWhatItInheritsAndEveryOrdinarySignal(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make namespaces")
	}
	program, err := spawn.InitProgram()
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(program)
	init, err := spawn.New().Start(&spawn.Command{Init: program, Argv: []string{"init"}, Dir: "/"})
	if err != nil {
		t.Fatal(err)
	}
	namespace, err := os.Open("/proc/" + strconv.Itoa(init) + "/ns/pid")
	if err != nil {
		t.Fatal(err)
	}
	defer namespace.Close()
	c := command("/bin/sh", "-c", "(sleep 0.01 &) ; kill -TERM 1; kill -KILL 1; kill -HUP 1; sleep 0.05; "+
		"grep -h -E '^(Name|State)' /proc/[0-9]*/status")
	c.PIDNamespace, c.CloneFlags = int(namespace.Fd()), syscall.CLONE_NEWNS
	out := run(t, c)
	if strings.Contains(out, "zombie") || strings.Contains(out, "Name:\tsleep") {
		t.Errorf("an orphan was not reaped: %s", out)
	}
	syscall.Kill(init, syscall.SIGTERM)
	var status syscall.WaitStatus
	if pid, err := syscall.Wait4(init, &status, syscall.WNOHANG, nil); pid != 0 || err != nil {
		t.Fatalf("it ended with %v (%v)", status, err)
	}
	syscall.Kill(init, syscall.SIGKILL)
	if status := wait(t, init); status.Signal() != syscall.SIGKILL {
		t.Errorf("killed, it ended with %v", status)
	}
	if own, err := os.Readlink("/proc/thread-self/ns/pid_for_children"); err == nil {
		if want, _ := os.Readlink("/proc/self/ns/pid"); own != want {
			t.Errorf("this thread's children would be born in %s, not in ours, %s", own, want)
		}
	}
	if pid, err := spawn.New().Start(&spawn.Command{Programs: c.Programs, Argv: c.Argv, Dir: "/", PIDNamespace: int(namespace.Fd())}); err == nil {
		wait(t, pid)
		t.Error("a process was born in a namespace that has ended")
	}
}
