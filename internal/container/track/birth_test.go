package track

import (
	"os/exec"
	"testing"
	"time"
)

// The clock's word and the kernel's are the same, whether a tick passes meanwhile or not.
func TestIdentifyBorn(t *testing.T) {
	spared := 0
	for n := range 20 {
		before := Now()
		cmd := exec.Command("/bin/sleep", "60")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if n%5 == 4 {
			time.Sleep(11 * time.Millisecond)
		}
		if Now() == before {
			spared++
		}
		got, err := IdentifyBorn(cmd.Process.Pid, before)
		want, _ := Identify(cmd.Process.Pid)
		if err != nil || got != want {
			t.Errorf("%v (%v), expected %v", got, err, want)
		}
		cmd.Process.Kill()
		cmd.Wait()
	}
	if spared == 0 {
		t.Error("a tick passed each time")
	}
}
