// Package scheduler is the SDK for people who write frameworks: programs that take resource offers and
// decide which tasks run where.
package scheduler
