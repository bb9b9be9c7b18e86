package supervisor

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// A socket's address may be 107 bytes long, a working directory longer. So the
// directory is opened, and the socket reached by way of the descriptor.

// atDir calls use with a short address of the socket in dir.
func atDir(dir string, use func(*net.UnixAddr) error) error {
	const oPath = 0x200000
	fd, err := syscall.Open(dir, oPath|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: dir, Err: err}
	}
	defer syscall.Close(fd)
	return use(&net.UnixAddr{Name: "/proc/self/fd/" + strconv.Itoa(fd) + "/" + socketName, Net: "unix"})
}

// listen makes the socket. Only this user can reach it, by the mode of the socket
// as of the directory.
func listen(dir string) (listener *net.UnixListener, err error) {
	path := filepath.Join(dir, socketName)
	os.Remove(path) // of a supervisor that is gone: we hold the lock
	err = atDir(dir, func(addr *net.UnixAddr) error {
		if listener, err = net.ListenUnix("unix", addr); err != nil {
			return fmt.Errorf("listening on %s: %w", path, err)
		}
		listener.SetUnlinkOnClose(false) // its name will mean nothing then
		return os.Chmod(path, 0o600)
	})
	return listener, err
}

// dial connects to the socket.
func dial(dir string) (conn *net.UnixConn, err error) {
	err = atDir(dir, func(addr *net.UnixAddr) error {
		conn, err = net.DialUnix("unix", nil, addr)
		return err
	})
	return conn, err
}

// allowed turns away whoever is neither this user nor root.
func allowed(raw syscall.RawConn) error {
	var peer *syscall.Ucred
	var peerErr error
	if err := raw.Control(func(fd uintptr) {
		peer, peerErr = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	}); err != nil {
		return err
	}
	if peerErr != nil {
		return fmt.Errorf("asking who connects: %w", peerErr)
	}
	if peer.Uid != 0 && int(peer.Uid) != os.Geteuid() {
		return fmt.Errorf("connection of user %d, expected %d", peer.Uid, os.Geteuid())
	}
	return nil
}
