package supervisor

import (
	"encoding/binary"
	"errors"
	"log/slog"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/meseta/meseta/internal/container"
)

// trimmer keeps the output files of containers from growing over their caps: it
// gives the heads of files that have to the disk, and leaves holes in their place.
//
// Containers write their files themselves, so somebody has to look. A file that
// rests is watched by the kernel, and costs nothing (inotify, one descriptor for
// all); the first write to it ends the watch. From then on it is looked at, the
// sooner again the faster it grows, and once it rests it is watched again.
//
// The files lie in directories of the containers' users, who may have put others in
// their place by now. One that is not the file that the container was given is left
// alone.
type trimmer struct {
	log    *slog.Logger
	events *os.File // of inotify; where there is none, a pipe in which nothing comes
	silent *os.File // the other end of that pipe

	mu     sync.Mutex
	capped map[container.ID]struct{} // guarded by mu: those whose end matters
	added  []*output                 // guarded by mu: what run has not heard of yet, as below
	ended  []container.ID            // guarded by mu
	wakeAt time.Time                 // guarded by mu: when run looks again; zero is never

	// owned by run, which may hang on a dead file system: nobody may wait for it
	byID    map[container.ID][]*output
	resting map[int32]*output // by watch
	busy    []*output         // to be looked at when they are due; few
}

// output is one file.
type output struct {
	id       container.ID
	path     string
	dev, ino uint64
	cap      int64

	watch int32     // 0 when it is busy
	head  int64     // where what is left begins
	size  int64     // when it was last looked at …
	at    time.Time // … and when that was
	due   time.Time // when it will be again
	last  bool      // its container has ended
}

// How soon a file that is written to is looked at.
const (
	lookSoonest = 20 * time.Millisecond
	lookFirst   = 50 * time.Millisecond
	lookLatest  = time.Second
)

func newTrimmer(log *slog.Logger) (*trimmer, error) {
	t := &trimmer{log: log, capped: map[container.ID]struct{}{}, byID: map[container.ID][]*output{}, resting: map[int32]*output{}}
	fd, err := syscall.InotifyInit1(syscall.IN_CLOEXEC | syscall.IN_NONBLOCK)
	if err == nil {
		t.events = os.NewFile(uintptr(fd), "inotify")
		return t, nil
	}
	log.Warn("output files are looked at every second, because the kernel does not tell when they are written to", "err", err)
	t.events, t.silent, err = os.Pipe()
	return t, err
}

// add begins with the files that a container was given.
func (t *trimmer) add(spec *container.Spec, given [2]syscall.Stat_t) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, path := range [2]string{spec.Stdout, spec.Stderr} {
		st := &given[i]
		if path == "" || st.Mode&syscall.S_IFMT != syscall.S_IFREG || i == 1 && path == spec.Stdout {
			continue
		}
		t.added = append(t.added, &output{
			id: spec.ID, path: path, dev: uint64(st.Dev), ino: st.Ino, cap: int64(min(spec.OutputCap, 1<<62)),
			due: time.Now().Add(lookFirst),
		})
	}
	t.capped[spec.ID] = struct{}{}
	t.wakeLocked(time.Now().Add(lookFirst))
}

// end has a container's files looked at for the last time.
func (t *trimmer) end(id container.ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.capped[id]; !ok {
		return
	}
	delete(t.capped, id)
	t.ended = append(t.ended, id)
	t.wakeLocked(time.Now().Add(lookFirst))
}

// wakeLocked has run look at that time, if it would not sooner. It takes what comes
// until then at once.
func (t *trimmer) wakeLocked(at time.Time) {
	if t.wakeAt.IsZero() || at.Before(t.wakeAt) {
		t.wakeAt = at
		t.events.SetReadDeadline(at)
	}
}

// rest lets a file rest until it is written to. Where the kernel has no more
// watches, it stays busy.
func (t *trimmer) rest(o *output) bool {
	const dontFollow = 0x02000000
	watch := -1
	conn, err := t.events.SyscallConn()
	if err == nil {
		conn.Control(func(fd uintptr) {
			watch, err = syscall.InotifyAddWatch(int(fd), o.path, syscall.IN_MODIFY|syscall.IN_ONESHOT|dontFollow)
		})
	}
	if err != nil || watch <= 0 || t.resting[int32(watch)] != nil {
		return false
	}
	o.watch = int32(watch)
	t.resting[o.watch] = o
	return true
}

func (t *trimmer) unwatch(o *output) {
	delete(t.resting, o.watch)
	if conn, err := t.events.SyscallConn(); err == nil {
		conn.Control(func(fd uintptr) { syscall.InotifyRmWatch(int(fd), uint32(o.watch)) })
	}
	o.watch = 0
}

// run looks at what is due and hears what is written to, until close.
func (t *trimmer) run() {
	buf := make([]byte, 4096)
	for {
		n, err := t.events.Read(buf)
		t.turn(buf[:max(n, 0)], time.Now())
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
	}
}

func (t *trimmer) close() {
	t.events.Close()
	t.silent.Close()
}

func (t *trimmer) turn(events []byte, now time.Time) {
	t.hear(events, now)
	t.takeNews(now)
	t.busy = slices.DeleteFunc(t.busy, func(o *output) bool {
		return !o.due.After(now) && !t.look(o, now)
	})
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wakeAt = time.Time{}
	t.events.SetReadDeadline(time.Time{})
	if len(t.added)+len(t.ended) > 0 {
		t.wakeLocked(now)
	}
	for _, o := range t.busy {
		t.wakeLocked(o.due)
	}
}

// hear makes those files busy that were written to.
func (t *trimmer) hear(events []byte, now time.Time) {
	const header = 16 // watch, mask, cookie, length of the name that follows
	for len(events) >= header {
		watch := int32(binary.NativeEndian.Uint32(events))
		mask := binary.NativeEndian.Uint32(events[4:])
		size := header + int(binary.NativeEndian.Uint32(events[12:]))
		events = events[min(size, len(events)):]
		if mask&syscall.IN_Q_OVERFLOW != 0 {
			for _, o := range t.resting {
				t.stir(o, now)
			}
		} else if o := t.resting[watch]; o != nil {
			t.stir(o, now)
		}
	}
}

// stir makes a file busy whose watch is over.
func (t *trimmer) stir(o *output, now time.Time) {
	delete(t.resting, o.watch)
	o.watch, o.at, o.due = 0, now, now.Add(lookFirst)
	t.busy = append(t.busy, o)
}

// takeNews hears which containers have begun and ended.
func (t *trimmer) takeNews(now time.Time) {
	t.mu.Lock()
	added, ended := t.added, t.ended
	t.added, t.ended = nil, nil
	t.mu.Unlock()
	for _, o := range added {
		t.byID[o.id] = append(t.byID[o.id], o)
	}
	t.busy = append(t.busy, added...)
	for _, id := range ended {
		for _, o := range t.byID[id] {
			if o.watch != 0 {
				t.unwatch(o)
				t.busy = append(t.busy, o)
			}
			o.last, o.due = true, now
		}
		delete(t.byID, id)
	}
}

// look trims a file that is over its cap and reports whether it stays busy.
func (t *trimmer) look(o *output, now time.Time) (busy bool) {
	size, err := o.trim()
	if err != nil {
		if !errors.Is(err, errElsewhere) {
			t.log.Warn("an output file is not bounded any more", "path", o.path, "err", err)
		}
		return false
	}
	if o.last {
		return false
	}
	grown, took := size-o.size, now.Sub(o.at)
	o.size, o.at = size, now
	if grown > 0 {
		o.due = now.Add(untilGrownBy(o.cap/4, grown, took))
		return true
	}
	if !t.rest(o) {
		o.due = now.Add(lookLatest)
		return true
	}
	if size, err := o.stat(); err == nil && size == o.size {
		return false
	}
	t.unwatch(o) // it was written to a moment before
	o.due = now.Add(lookFirst)
	return true
}

// untilGrownBy is in what time a file will have grown by so much again, if it goes
// on as before.
func untilGrownBy(much, grown int64, took time.Duration) time.Duration {
	at := float64(took) * float64(much) / float64(grown)
	return time.Duration(min(max(at, float64(lookSoonest)), float64(lookLatest)))
}

// errElsewhere says that a path leads to another file now.
var errElsewhere = errors.New("another file is in its place")

// stat returns the size, if it is still the same file.
func (o *output) stat() (int64, error) {
	var st syscall.Stat_t
	if err := syscall.Lstat(o.path, &st); err != nil || !o.is(&st) {
		return 0, errElsewhere
	}
	return st.Size, nil
}

func (o *output) is(st *syscall.Stat_t) bool {
	return uint64(st.Dev) == o.dev && st.Ino == o.ino && st.Mode&syscall.S_IFMT == syscall.S_IFREG
}

// trim makes a hole of the head if the rest is over the cap, and returns the size.
// Three quarters of the cap stay, so that this is not needed again at once.
func (o *output) trim() (size int64, err error) {
	size, err = o.stat()
	if err != nil || size-o.head <= o.cap {
		return size, err
	}
	fd, err := syscall.Open(o.path, syscall.O_WRONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK|syscall.O_NOCTTY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return 0, errElsewhere
	}
	defer syscall.Close(fd)
	var st syscall.Stat_t
	if err := syscall.Fstat(fd, &st); err != nil || !o.is(&st) {
		return 0, errElsewhere
	}
	const (
		keepSize  = 1
		punchHole = 2
		block     = 4096
	)
	head := (st.Size - o.cap*3/4) / block * block
	if head <= 0 {
		return st.Size, nil
	}
	if err := syscall.Fallocate(fd, punchHole|keepSize, 0, head); err != nil {
		return 0, &os.PathError{Op: "making a hole in", Path: o.path, Err: err}
	}
	o.head = head
	return st.Size, nil
}
