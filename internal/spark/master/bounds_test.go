package master_test

import (
	"fmt"
	"testing"

	"github.com/meseta/meseta/internal/spark/deploy"
	"github.com/meseta/meseta/internal/spark/endpoint"
	. "github.com/meseta/meseta/internal/spark/master"
)

// Whoever floods a Master is turned away at some point, and what it lists stays.
func TestNothingGrowsWithoutEnd(t *testing.T) {
	const most, profiles = 20, 1000
	p := newPlayer()
	p.cfg.MaxListed = most
	p.step(Elected{})
	builds := []*deploy.Build{deploy.Spark35Scala212}
	totals := deploy.ProfileTotals{}
	for id := range profiles + 1 {
		totals = append(totals, deploy.ProfileTotal{Profile: deploy.ResourceProfile{ID: id}})
	}
	for n := range 2 * most {
		at := endpoint.Ref{Address: endpoint.Address{Host: fmt.Sprint("h", n), Port: 1}, Via: 7}
		for _, m := range []deploy.Message{
			deploy.RegisterWorker{ID: fmt.Sprint(n), Worker: at, Cores: 1, Memory: 1},
			deploy.RegisterApplication{Driver: at},
		} {
			p.step(Received{Message: m, Builds: builds})
		}
		p.step(Asked{Message: deploy.RequestSubmitDriver{}, Builds: builds})
	}
	v := p.core.View()
	if len(v.Workers) != most || len(v.Apps) != most || len(v.Drivers) != most {
		t.Errorf("%d Workers, %d applications, %d drivers, expected %d of each", len(v.Workers), len(v.Apps), len(v.Drivers), most)
	}
	said := p.step(Asked{Message: deploy.RequestExecutors{AppID: v.Apps[0].ID, Totals: totals}})
	if len(said) != 2 || said[1] != "reply false" {
		t.Errorf("%d resource profiles: %q", profiles+1, said)
	}
}
