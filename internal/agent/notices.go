package agent

import (
	"context"
	"log/slog"

	"github.com/meseta/meseta/internal/node"
)

// note writes a notice of the core to the log.
func (l *loop) note(n node.Notice) {
	level := levelOf(n.What)
	if !l.log.Enabled(context.Background(), level) {
		return
	}
	attrs := make([]slog.Attr, 0, 5)
	for _, a := range [...]struct{ key, value string }{
		{"framework", string(n.Framework)},
		{"executor", string(n.Executor)},
		{"task", string(n.Task)},
		{"container", string(n.Container)},
		{"detail", n.Detail},
	} {
		if a.value != "" {
			attrs = append(attrs, slog.String(a.key, a.value))
		}
	}
	l.log.LogAttrs(context.Background(), level, n.What.String(), attrs...)
}

// levelOf says whom a notice concerns: what every task does is for those who look closely.
func levelOf(w node.What) slog.Level {
	switch w {
	case node.NoticeTaskEnded, node.NoticeExecutorStarted, node.NoticeExecutorSubscribed, node.NoticeStale,
		node.NoticeMessageDropped, node.NoticeLateStatus:
		return slog.LevelDebug
	case node.NoticeBroken:
		return slog.LevelError
	case node.NoticeRefused, node.NoticeFenced, node.NoticeExecutorTimeout, node.NoticeOrphan, node.NoticeRebooted,
		node.NoticeUnknownTask, node.NoticeLimited, node.NoticeTaskRefused, node.NoticeDuplicateTask:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}
