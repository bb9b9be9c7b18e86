package registry

import (
	"context"
	"log/slog"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// zapOn returns the logger that etcd wants, on ours. etcd speaks of its inner life at every level:
// what it calls a warning or an error is a warning at most to us, who hear of what matters as an
// error of a call; the rest is for debugging. An entry after which etcd wants the process to exit or to
// panic calls fatal instead, when there is one, and ends its goroutine.
func zapOn(log *slog.Logger, fatal func(message string)) *zap.Logger {
	core := &slogCore{log: log}
	if fatal == nil {
		return zap.New(core)
	}
	return zap.New(core, zap.WithFatalHook(fatalHook(fatal)), zap.WithPanicHook(fatalHook(fatal)))
}

type fatalHook func(message string)

func (h fatalHook) OnWrite(entry *zapcore.CheckedEntry, fields []zapcore.Field) {
	message := entry.Message
	encoder := zapcore.NewMapObjectEncoder()
	for _, f := range fields {
		f.AddTo(encoder)
	}
	if cause, ok := encoder.Fields["error"].(string); ok {
		message += ": " + cause
	}
	h(message)
	zapcore.WriteThenGoexit.OnWrite(entry, fields)
}

// slogCore is a zapcore.Core that hands entries on to slog.
type slogCore struct {
	log  *slog.Logger
	with []zapcore.Field
}

func (c *slogCore) Enabled(level zapcore.Level) bool {
	return c.log.Enabled(context.Background(), slogLevel(level))
}

func (c *slogCore) With(fields []zapcore.Field) zapcore.Core {
	return &slogCore{log: c.log, with: append(c.with[:len(c.with):len(c.with)], fields...)}
}

func (c *slogCore) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.log.Enabled(context.Background(), levelOf(entry)) {
		return checked.AddCore(entry, c)
	}
	return checked
}

func (c *slogCore) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	encoder := zapcore.NewMapObjectEncoder()
	for _, f := range append(c.with[:len(c.with):len(c.with)], fields...) {
		f.AddTo(encoder)
	}
	c.log.LogAttrs(context.Background(), levelOf(entry), "etcd: "+entry.Message, slog.Any("fields", encoder.Fields))
	return nil
}

func (c *slogCore) Sync() error { return nil }

// levelOf makes an exception for what etcd calls an error on every first start: there is no version to
// be found as yet. It looks again four seconds later.
func levelOf(entry zapcore.Entry) slog.Level {
	if entry.Message == "failed to update storage version" {
		return slog.LevelDebug
	}
	return slogLevel(entry.Level)
}

func slogLevel(level zapcore.Level) slog.Level {
	switch {
	case level >= zapcore.DPanicLevel:
		return slog.LevelError
	case level >= zapcore.ErrorLevel:
		return slog.LevelWarn
	default:
		return slog.LevelDebug
	}
}
