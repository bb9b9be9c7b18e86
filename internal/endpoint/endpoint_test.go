package endpoint_test

import (
	"log/slog"
	"net"
	"net/netip"
	"testing"

	"github.com/meseta/meseta/internal/endpoint"
)

func TestADaemonIsReachedWhereItListens(t *testing.T) {
	for _, test := range []struct {
		listens string
		peer    string
		want    string
	}{
		{"10.1.2.3:5050", endpoint.Somewhere, "10.1.2.3:5050"},
		{"[::ffff:10.1.2.3]:5050", endpoint.Somewhere, "10.1.2.3:5050"},
		{"[fe80::1%lo]:5050", endpoint.Somewhere, "[fe80::1]:5050"},
		{"0.0.0.0:5050", "127.0.0.9:5050", "127.0.0.1:5050"},
		{"[::]:5050", "127.0.0.9:5050", "127.0.0.1:5050"},
		{"0.0.0.0:5050", "no port", "127.0.0.1:5050"},
	} {
		addr := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(test.listens))
		if got := endpoint.Of(addr, test.peer); got.String() != test.want {
			t.Errorf("a daemon at %s is reached at %s, want %s", test.listens, got, test.want)
		}
	}
}

func TestSettingsKnowBetter(t *testing.T) {
	at := netip.MustParseAddrPort("10.1.2.3:5050")
	for _, test := range []struct {
		name          string
		settings      endpoint.Settings
		address, host string
	}{
		{"nothing", endpoint.Settings{}, "10.1.2.3:5050", "10.1.2.3"},
		{"ip", endpoint.Settings{AdvertiseIP: "192.0.2.7"}, "192.0.2.7:5050", "192.0.2.7"},
		{"port", endpoint.Settings{AdvertisePort: 80}, "10.1.2.3:80", "10.1.2.3"},
		{"name", endpoint.Settings{AdvertiseIP: "192.0.2.7", Hostname: "m1"}, "192.0.2.7:5050", "m1"},
		{"given name before lookup", endpoint.Settings{Hostname: "m1", Lookup: true}, "10.1.2.3:5050", "m1"},
		{"IPv6", endpoint.Settings{AdvertiseIP: "2001:db8::1"}, "[2001:db8::1]:5050", "2001:db8::1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := test.settings.Advertised(t.Context(), at, slog.New(slog.DiscardHandler))
			if got.Address.String() != test.address || got.Hostname != test.host {
				t.Errorf("got %+v, want %s and %s", got, test.address, test.host)
			}
		})
	}
}

func TestSettingsThatCannotBeAreRefused(t *testing.T) {
	for _, s := range []endpoint.Settings{{AdvertiseIP: "here"}, {AdvertiseIP: "0.0.0.0"}, {AdvertisePort: -1}, {AdvertisePort: 65536}} {
		if len(s.Validate()) != 1 {
			t.Errorf("%+v was accepted", s)
		}
	}
}
