package storm

import (
	"net"
	"sync"
	"testing"
	"time"
)

// cable is the way from an agent to the master. Pulled, it carries nothing and closes nothing, as when
// packets are lost on their way; what is under way then comes late.
type cable struct {
	listener net.Listener
	to       string
	mu       sync.Mutex
	plugged  chan struct{} // closed while it carries
	all      sync.WaitGroup
}

func newCable(t *testing.T, to string) *cable {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{listener: l, to: to, plugged: make(chan struct{})}
	close(c.plugged)
	c.all.Go(c.serve)
	t.Cleanup(func() {
		l.Close()
		c.all.Wait()
	})
	return c
}

func (c *cable) address() string { return c.listener.Addr().String() }

func (c *cable) serve() {
	for {
		near, err := c.listener.Accept()
		if err != nil {
			return
		}
		c.all.Go(func() {
			c.wait()
			far, err := net.Dial("tcp", c.to)
			if err != nil {
				near.Close()
				return
			}
			c.all.Go(func() { c.carry(near, far) })
			c.carry(far, near)
		})
	}
}

// carry copies until one end is closed.
func (c *cable) carry(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		c.wait()
		if _, failed := to.Write(buffer[:n]); failed != nil || err != nil {
			return
		}
	}
}

// wait waits while the cable is pulled.
func (c *cable) wait() {
	c.mu.Lock()
	plugged := c.plugged
	c.mu.Unlock()
	<-plugged
}

// pull interrupts the connection for a while.
func (c *cable) pull(d time.Duration) {
	c.mu.Lock()
	c.plugged = make(chan struct{})
	c.mu.Unlock()
	time.Sleep(d)
	c.mu.Lock()
	close(c.plugged)
	c.mu.Unlock()
}
