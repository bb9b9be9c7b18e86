package agent

import (
	"errors"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/node"
)

// limit holds a container to other limits. Of several for one container the last one counts, whatever the answers
// overtake; of one that is being started, once it is.
func (l *launcher) limit(o node.LimitContainer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.starting[o.Container]; s != nil {
		s.limits = &o.Limits
		return
	}
	l.limitLocked(o.Container, o.Limits)
}

func (l *launcher) limitLocked(id ids.ContainerID, limits node.Limits) {
	_, busy := l.limiting[id]
	l.limiting[id] = limits
	if !busy {
		l.wait.Go(func() { l.limitNow(id, limits) })
	}
}

// limitNow asks the supervisor until it answers, and again when something else is wanted by then.
func (l *launcher) limitNow(id ids.ContainerID, limits node.Limits) {
	for l.life.Err() == nil {
		err := l.supervisor.Limit(l.life, container.ID(id), limitsOf(limits))
		if errors.Is(err, container.ErrUnavailable) {
			pause(l.life, askAgain)
			continue
		}
		if err != nil && !errors.Is(err, container.ErrUnknown) && !errors.Is(err, errLost) {
			l.log.Debug("a container is not held to all that it should be", "container", id, "error", err)
		}
		l.mu.Lock()
		wanted := l.limiting[id]
		if wanted == limits {
			delete(l.limiting, id)
			l.mu.Unlock()
			return
		}
		l.mu.Unlock()
		limits = wanted
	}
}
