// Package endpoint says where a daemon is reached: at which address, and under which name others are told
// to ask for it. The address it listens on is the answer unless it listens everywhere, or its settings know
// better: behind a NAT or in a container only they can.
package endpoint

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"time"
)

// lookupTime bounds the lookup of a name.
const lookupTime = 2 * time.Second

// Settings are what a daemon was told about where it is reached. The zero value tells nothing.
type Settings struct {
	AdvertiseIP   string // IP that others are told
	AdvertisePort int    // port that they are told
	Hostname      string // name that they are told
	Lookup        bool   // ask for the name of the address, if Hostname is empty
}

// Validate says everything that is wrong with settings.
func (s *Settings) Validate() (all []error) {
	if s.AdvertiseIP != "" {
		if ip, err := netip.ParseAddr(s.AdvertiseIP); err != nil || ip.IsUnspecified() {
			all = append(all, fmt.Errorf("advertise_ip %q: expected the IP address at which others reach this daemon", s.AdvertiseIP))
		}
	}
	if s.AdvertisePort < 0 || s.AdvertisePort > 65535 {
		all = append(all, fmt.Errorf("advertise_port %d: expected a port from 1 to 65535", s.AdvertisePort))
	}
	return all
}

// Endpoint is where a daemon is reached.
type Endpoint struct {
	Address  netip.AddrPort
	Hostname string
}

// Of is where this machine reaches a daemon that listens at an address: there, unless it listens
// everywhere. Then it is the IP from which the machine talks to a peer, HOST:PORT; nothing is sent.
func Of(listener net.Addr, peer string) netip.AddrPort {
	at := listener.(*net.TCPAddr).AddrPort()
	ip := at.Addr().Unmap()
	if ip.IsUnspecified() {
		ip = netip.AddrFrom4([4]byte{127, 0, 0, 1})
		if conn, err := net.Dial("udp", peer); err == nil {
			ip = conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
			conn.Close()
		}
	}
	return netip.AddrPortFrom(ip.WithZone(""), at.Port())
}

// Somewhere is a peer for those that have none: an address that stands for any beyond this machine
// (RFC 5737).
const Somewhere = "192.0.2.1:9"

// Advertised is what others are told of a daemon that is at an address.
func (s *Settings) Advertised(ctx context.Context, at netip.AddrPort, log *slog.Logger) Endpoint {
	ip, port := at.Addr(), at.Port()
	if told, err := netip.ParseAddr(s.AdvertiseIP); err == nil {
		ip = told.Unmap()
	}
	if s.AdvertisePort != 0 {
		port = uint16(s.AdvertisePort)
	}
	name := s.Hostname
	if name == "" && s.Lookup {
		name = lookup(ctx, ip, log)
	}
	return Endpoint{Address: netip.AddrPortFrom(ip, port), Hostname: cmp.Or(name, ip.String())}
}

// lookup asks for the name of an address; "" if nobody knows one.
func lookup(ctx context.Context, ip netip.Addr, log *slog.Logger) string {
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	names, err := net.DefaultResolver.LookupAddr(ctx, ip.String())
	if err != nil || len(names) == 0 {
		log.Warn("no name was found for the address, which is told in its place; --hostname can name it", "address", ip, "error", err)
		return ""
	}
	return strings.TrimSuffix(names[0], ".")
}
