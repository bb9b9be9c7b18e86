//go:build unix

package wire

import (
	"net"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// What a held and idle stream costs in user memory. Its socket in the kernel is
// not counted.
func TestIdleStreamIsSmall(t *testing.T) {
	const limit = 8 << 10
	got := idleStreamSize(t, 500)
	t.Logf("an idle stream takes %d bytes", got)
	if got > limit {
		t.Errorf("an idle stream takes %d bytes, expected at most %d", got, limit)
	}
}

// idleStreamSize is the memory of a stream, with a heartbeat to come, that has
// sent something. The clients, in the same process, are bare descriptors.
func idleStreamSize(t testing.TB, n int) int {
	handler, streams := holding(HoldOptions{Codec: JSON})
	addr := server(t, handler)
	heartbeat := []byte(`{"type":"HEARTBEAT"}`)
	open := func() *Stream {
		fd := bareClient(t, addr)
		t.Cleanup(func() { syscall.Close(fd) })
		write(t, fd, subscribeRequest)
		s := <-streams
		t.Cleanup(func() { s.Close(nil) })
		s.Send(make([]byte, 1000))
		s.Heartbeat(heartbeat, 0, time.Hour)
		readUntil(t, fd, string(heartbeat)+"\r\n")
		return s
	}
	held := make([]*Stream, 0, n+1)
	held = append(held, open()) // pools and the like
	before := memory()
	for range n {
		held = append(held, open())
	}
	after := memory()
	runtime.KeepAlive(held)
	return (after - before) / n
}

func memory() int {
	for range 3 { // sync.Pools let go in the second
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapInuse + m.StackInuse)
}

func bareClient(t testing.TB, addr string) int {
	host, port, _ := net.SplitHostPort(addr)
	to := &syscall.SockaddrInet4{Addr: [4]byte(net.ParseIP(host).To4())}
	to.Port, _ = strconv.Atoi(port)
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err == nil {
		err = syscall.Connect(fd, to)
	}
	if err != nil {
		t.Fatal(err)
	}
	return fd
}

func write(t testing.TB, fd int, text string) {
	if _, err := syscall.Write(fd, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

func readUntil(t testing.TB, fd int, suffix string) {
	var buf [4096]byte
	for n := 0; n < len(suffix) || string(buf[n-len(suffix):n]) != suffix; {
		more, err := syscall.Read(fd, buf[n:])
		if err != nil || more == 0 {
			t.Fatalf("read %q, then %d (%v)", buf[:n], more, err)
		}
		n += more
	}
}
