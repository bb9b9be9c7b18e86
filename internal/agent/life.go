package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/meseta/meseta/internal/journal"
	"github.com/meseta/meseta/internal/node"
	"github.com/meseta/meseta/internal/wire"
)

var errAgentStops = errors.New("the agent stops")

// life is everything that runs in an agent, in three layers that end one after the other: links, calls and
// the loop first, so that nothing new comes in; then what the loop drives; then the journal, which writes
// what was still said.
type life struct {
	a       *agent
	journal *journal.Journal
	keeper  *keeper
	server  *http.Server
	failed  chan error // gets why the server ended by itself

	endLinks, endMachine, endDisk context.CancelCauseFunc
	links, machine, disk          errgroup.Group
}

// begin starts everything.
func (a *agent) begin(ctx context.Context, listener net.Listener, j *journal.Journal, k *keeper) *life {
	l := &life{a: a, journal: j, keeper: k, server: wire.NewServer(a.routes(), a.log), failed: make(chan error, 1)}
	disk, endDisk := context.WithCancelCause(context.WithoutCancel(ctx))
	machine, endMachine := context.WithCancelCause(disk)
	links, endLinks := context.WithCancelCause(machine)
	l.endLinks, l.endMachine, l.endDisk = endLinks, endMachine, endDisk
	a.stopped = links.Done()

	l.disk.Go(func() error { return j.Run(disk) })
	l.machine.Go(func() error { k.run(machine); return nil })
	l.machine.Go(func() error { a.loop.launcher.run(machine); return nil })
	l.links.Go(func() error { a.loop.run(links); return nil })
	l.links.Go(func() error { l.listen(listener); return nil })
	a.loop.back.put(node.Accepting{})
	l.links.Go(func() error { a.follow(links); return nil })
	janitor := a.newJanitor()
	l.links.Go(func() error { janitor.run(links); return nil })
	l.links.Go(func() error { a.newRoomWatch(j, janitor).run(links); return nil })
	if a.isolation.disk && a.config.enforcesDisk() {
		l.links.Go(func() error { a.disks.run(links); return nil })
	}
	return l
}

func (l *life) listen(listener net.Listener) {
	if err := l.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		l.failed <- err
	}
}

// end ends everything, and returns when it is gone.
func (l *life) end() error {
	l.endLinks(errAgentStops)
	shutDown(l.server)
	l.links.Wait()
	l.a.watch.Wait()
	l.endMachine(errAgentStops)
	l.machine.Wait()
	l.endDisk(errAgentStops)
	return l.disk.Wait()
}

// shutDown ends the server and waits for calls under way: without the loop they end soon.
func shutDown(server *http.Server) {
	patience, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = server.Shutdown(patience)
	_ = server.Close()
}

// live runs the agent until ctx ends or something fails that it cannot do without.
func (a *agent) live(ctx context.Context, listener net.Listener, j *journal.Journal, k *keeper) error {
	l := a.begin(ctx, listener, j, k)
	a.log.Info("agent serves", "address", listener.Addr(), "work_dir", a.config.WorkDir)
	if a.config.Ready != nil {
		a.config.Ready(listener.Addr().String())
	}
	ended, err := a.untilStop(ctx, l.failed)
	stays := errors.Is(err, errRoomAgain)
	if a.config.KillTasksOnStop && !ended && !stays {
		a.endEverything()
	}
	if stays {
		_ = l.end() // its journal has failed, which is why
		return err
	}
	err = errors.Join(err, l.end())
	if a.config.KillTasksOnStop {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), endingTime)
		defer cancel()
		err = errors.Join(err, k.stop(stopping))
	}
	return err
}

// untilStop waits for the reason to stop; nil if it is ctx. It reports whether everything was ended already.
func (a *agent) untilStop(ctx context.Context, serverFailed <-chan error) (ended bool, err error) {
	select {
	case <-ctx.Done():
		return false, nil
	case err := <-serverFailed:
		return false, err
	case <-a.again:
		return false, errRoomAgain
	case reason := <-a.loop.givenUp:
		return false, fmt.Errorf("refused by the master: %s", reason)
	case reason := <-a.loop.allEnded:
		return true, fmt.Errorf("the cluster has given this agent up: %s; everything on it was ended", reason)
	}
}

// endEverything ends every task and executor and waits until that is recorded.
func (a *agent) endEverything() {
	a.loop.back.put(node.EndAll{})
	select {
	case <-a.loop.allEnded:
	case <-time.After(endingTime):
		a.log.Warn("not everything has ended in time; the supervisor ends the rest")
	}
}
