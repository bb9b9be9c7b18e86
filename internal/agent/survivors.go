package agent

import (
	"context"
	"fmt"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/node"
)

// survivors lists what the supervisors know, for the core that comes back. Starts that are under way are
// waited for: there is nobody else whom they would be told.
func survivors(ctx context.Context, supervisor container.Supervisor) ([]node.ContainerState, error) {
	for {
		infos, err := supervisor.List(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the containers that live: %w", err)
		}
		if states, settled := statesOf(infos); settled {
			return states, nil
		}
		pause(ctx, askAgain)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
}

func statesOf(infos []container.Info) (states []node.ContainerState, settled bool) {
	for _, info := range infos {
		state := node.ContainerState{Container: ids.ContainerID(info.ID), PID: info.Started.PID}
		switch {
		case info.State == container.StateStarting:
			return nil, false
		case info.Exit != nil:
			state.End = new(endOf(*info.Exit))
		case info.Failure != nil:
			cause := node.CauseOther
			if info.Failure.Stage == container.StageExec {
				cause = node.CauseExec
			}
			state.Failure = &node.ContainerStartFailed{Container: state.Container, Cause: cause, Detail: info.Failure.Error()}
		}
		states = append(states, state)
	}
	return states, true
}

// endOf words an exit for the core.
func endOf(exit container.Exit) node.End {
	end := node.End{Status: int(exit.Status), Text: exit.Status.String()}
	switch exit.Reason {
	case container.ReasonKilled:
		end.Killed = true
	case container.ReasonMemory:
		end.OutOfMemory = &node.OutOfMemory{Limit: int64(exit.OutOfMemory.Limit), Peak: int64(exit.OutOfMemory.Peak)}
	case container.ReasonLost:
		end.Lost = "The container's supervisor died, and the container was ended with it"
	}
	return end
}
