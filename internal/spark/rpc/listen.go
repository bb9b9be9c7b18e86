package rpc

import (
	"fmt"
	"net"
	"strconv"

	"github.com/meseta/meseta/internal/spark/endpoint"
)

// Listen takes a port, or one of the next few if somebody has it, and says where that is.
func Listen(host string, port, retries int) (net.Listener, endpoint.Address, error) {
	for try := 0; ; try++ {
		at := port
		if port != 0 {
			at = port + try
		}
		ln, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(at)))
		if err == nil {
			return ln, endpoint.Address{Host: host, Port: ln.Addr().(*net.TCPAddr).Port}, nil
		}
		if port == 0 || try >= retries {
			return nil, endpoint.Address{}, fmt.Errorf("listening on %s: %w", host, err)
		}
	}
}
