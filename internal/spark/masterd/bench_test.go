package masterd

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"

	"github.com/meseta/meseta/internal/spark/deploy"
	"github.com/meseta/meseta/internal/spark/endpoint"
	"github.com/meseta/meseta/internal/spark/rpc"
)

// A thousand Workers come at once: the time until each of them is welcomed.
func BenchmarkRegisterThousandWorkers(b *testing.B) {
	const workers = 1000
	build := deploy.Spark35Scala212
	ready := make(chan endpoint.Address, 1)
	cfg := Config{Host: "127.0.0.1", Ready: func(at endpoint.Address, _, _ string) { ready <- at }}
	ctx, cancel := context.WithCancel(b.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	running.Go(func() {
		if err := Run(ctx, cfg, slog.New(slog.DiscardHandler)); err != nil {
			b.Error(err)
		}
	})
	at := <-ready
	round := 0
	for b.Loop() {
		round++
		var welcomed sync.WaitGroup
		for n := range workers {
			welcomed.Add(1)
			env := rpc.NewEnv(rpc.Config{Advertise: endpoint.Address{Host: fmt.Sprintf("w%d-%d", round, n), Port: 1}})
			self := env.Register("Worker", once(welcomed.Done))
			running.Go(func() { env.Run(ctx, nil) })
			v, err := build.Encode(deploy.RegisterWorker{ID: self.Address.Host, Host: self.Address.Host, Port: 1, Worker: self, Cores: 4, Memory: 4096, MasterAddress: at})
			if err == nil {
				err = env.Send(endpoint.Ref{Name: "Master", Address: at}, v)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		welcomed.Wait()
	}
	b.ReportMetric(workers*float64(b.N)/b.Elapsed().Seconds(), "workers/s")
}

// onceEndpoint is one that takes note of its first message.
type onceEndpoint struct {
	first sync.Once
	note  func()
}

func once(note func()) *onceEndpoint { return &onceEndpoint{note: note} }

func (e *onceEndpoint) Receive(*rpc.Message) { e.first.Do(e.note) }
func (e *onceEndpoint) Event(rpc.Event)      {}
