package supervisor_test

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/meseta/meseta/internal/container"
)

// envGlutton makes the test binary a program that eats what it says.
const envGlutton = "MESETA_TEST_GLUTTON"

// glutton is a container that eats: memory N bytes, a child's memory N bytes, cpu
// on N threads, processes as many as it gets up to N, output N bytes. When it has
// eaten it says so and stays.
func (h *host) glutton(id container.ID, what, amount string) container.Spec {
	self, err := os.Executable()
	if err != nil {
		h.t.Fatal(err)
	}
	spec := h.shell(id, "")
	spec.Argv = []string{self}
	spec.Env = append(spec.Env, envGlutton+"="+what+" "+amount, "GORACE=atexit_sleep_ms=0")
	return spec
}

// glutton is the program.
func glutton(appetite string) int {
	what, word, _ := strings.Cut(appetite, " ")
	amount, err := strconv.Atoi(word)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	switch what {
	case "memory":
		memory, err := syscall.Mmap(-1, 0, amount, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 2
		}
		for i := 0; i < len(memory); i += os.Getpagesize() {
			memory[i] = 1
		}
	case "childmemory":
		child := exec.Command("/proc/self/exe")
		child.Env = append(os.Environ(), envGlutton+"=memory "+word)
		if err := child.Start(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 2
		}
	case "cpu":
		for range amount {
			go func() {
				for {
				}
			}()
		}
	case "processes":
		for i := range amount {
			child := exec.Command("/bin/sleep", "1000")
			if err := child.Start(); err != nil {
				fmt.Printf("%d processes: %v\n", i, err)
				break
			}
		}
	case "output":
		line := []byte(strings.Repeat("x", 1023) + "\n")
		for written := 0; written < amount; written += len(line) {
			os.Stdout.Write(line)
		}
	}
	fmt.Println("eaten")
	time.Sleep(time.Hour)
	return 0
}

// can reports whether the supervisor is able to do something for containers.
func (h *host) can(f container.Feature) bool {
	for _, a := range h.Abilities() {
		if a.Feature == f {
			return a.Works
		}
	}
	return false
}

// needs skips a test without some abilities.
func needs(t *testing.T, h *host, features ...container.Feature) {
	t.Helper()
	for _, f := range features {
		if !h.can(f) {
			t.Skipf("%v need root and the kernel's controllers: %+v", f, h.Abilities())
		}
	}
}
