package journal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
)

// group is what one commit writes: all batches that gathered while the last one was busy.
type group struct {
	frames
	sync bool         // one of them has to be durable
	last Ticket       // of the batches in it
	size int          // of their records, as counted in the backlog
	cut  *snapshotJob // a snapshot that stands for everything up to here; the next group is a new segment
}

// spareLimit is the largest buffer that is kept for the next group.
const spareLimit = 1 << 20

func (g *group) add(ticket Ticket, records [][]byte, sync bool) {
	g.frames.add(records)
	g.sync = g.sync || sync
	g.last = ticket
	g.size += encodedSize(records)
}

// segment is the file that is being written.
type segment struct {
	file    File
	number  uint64
	size    int64
	lastSeq uint64 // of the last frame in it
	durable uint64 // of the last frame that was synced
}

// sync makes durable what was written.
func (s *segment) sync() error {
	if s.durable == s.lastSeq {
		return nil
	}
	if err := s.file.Sync(); err != nil {
		return fmt.Errorf("sync segment %d: %w", s.number, err)
	}
	s.durable = s.lastSeq
	return nil
}

// openGroupLocked returns the group that takes the next batch.
func (j *Journal) openGroupLocked() *group {
	if n := len(j.pending); n > 0 && j.pending[n-1].cut == nil {
		return j.pending[n-1]
	}
	g := j.spare
	j.spare = nil
	if g == nil {
		g = &group{}
	}
	j.pending = append(j.pending, g)
	return g
}

// takeGroup takes the oldest group, nil when nothing is pending.
func (j *Journal) takeGroup() *group {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.pending) == 0 {
		return nil
	}
	g := j.pending[0]
	j.pending = append(j.pending[:0], j.pending[1:]...)
	return g
}

// Run writes what is appended until ctx ends, then writes the rest, closes the journal and returns
// nil. It returns an error that wraps ErrFailed when the journal fails; Hooks.Failed was called then.
// A snapshot that is under way when ctx ends is abandoned.
func (j *Journal) Run(ctx context.Context) error {
	defer j.Close()
	snapshots := make(chan *snapshotJob, 1) // one is under way at most
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		for job := range snapshots {
			j.finishSnapshot(ctx, job)
		}
	})
	defer wg.Wait()
	defer cancel()
	defer close(snapshots)
	for {
		if err := j.flush(func(job *snapshotJob) { snapshots <- job }); err != nil {
			return err
		}
		select {
		case <-j.wake:
		case <-ctx.Done():
			j.refuseMore(ErrClosed)
			if err := j.flush(func(job *snapshotJob) { snapshots <- job }); err != nil {
				return err
			}
			return j.settle()
		}
	}
}

// Flush makes everything pending durable before it returns, snapshots included, on the caller's
// goroutine. It is what Run does over and over; simulations and tools call it instead of Run.
func (j *Journal) Flush(ctx context.Context) error {
	if err := j.flush(func(job *snapshotJob) { j.finishSnapshot(ctx, job) }); err != nil {
		return err
	}
	return j.settle()
}

// settle makes durable what was only written.
func (j *Journal) settle() error {
	if err := j.active.sync(); err != nil {
		return j.fail(err)
	}
	j.sayHowFar(true)
	return nil
}

func (j *Journal) flush(start func(*snapshotJob)) error {
	for {
		g := j.takeGroup()
		if g == nil {
			return j.failure()
		}
		if err := j.commit(g); err != nil {
			return j.fail(err)
		}
		if g.cut == nil {
			continue
		}
		if err := j.roll(); err != nil {
			return j.fail(err)
		}
		g.cut.number, g.cut.firstSeq = j.active.number, j.active.lastSeq+1
		start(g.cut)
	}
}

// commit writes one group, syncs it if somebody needs that, and says so.
func (j *Journal) commit(g *group) error {
	if len(g.spans) > 0 {
		if j.active.size > fileHeaderSize && j.active.size+int64(len(g.buf)) > j.opts.SegmentSize {
			if err := j.roll(); err != nil {
				return err
			}
		}
		lastSeq := g.seal(j.seals, frameMagic, j.active.lastSeq, j.active.durable)
		if _, err := j.active.file.Write(g.buf); err != nil {
			return fmt.Errorf("write segment %d: %w", j.active.number, err)
		}
		j.active.lastSeq = lastSeq
		j.active.size += int64(len(g.buf))
		if g.sync {
			if err := j.active.sync(); err != nil {
				return err
			}
		}
		synced := g.sync
		j.release(g)
		j.sayHowFar(synced)
	}
	return nil
}

// release counts the group as written and keeps its memory for the next.
func (j *Journal) release(g *group) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.written = g.last
	j.backlog -= g.size
	j.snapshot.logBytes += int64(len(g.buf))
	if cap(g.buf) <= spareLimit {
		g.reset()
		j.spare = &group{frames: g.frames}
	}
}

// sayHowFar tells whoever wants to know what is written now, and durable if it was synced.
func (j *Journal) sayHowFar(synced bool) {
	j.mu.Lock()
	upTo, news := j.written, j.persisted < j.written
	if synced {
		j.persisted = upTo
		j.announceLocked()
	}
	j.mu.Unlock()
	switch {
	case !news:
	case synced:
		j.opts.Hooks.Persisted(upTo)
	default:
		j.opts.Hooks.Written(upTo)
	}
}

// roll goes on with the next segment. What is in the old one has to be durable before anything behind it is.
func (j *Journal) roll() error {
	if err := j.active.sync(); err != nil {
		return err
	}
	next, full, err := j.createInReserve(fileHeader{
		magic:    segmentMagic,
		number:   j.active.number + 1,
		firstSeq: j.active.lastSeq + 1,
		identity: j.seals.identity,
	}, nil)
	if err != nil {
		return fmt.Errorf("begin segment %d: %w", j.active.number+1, err)
	}
	if full {
		j.opts.Hooks.Full()
	}
	old := j.active
	j.active = next
	return old.file.Close()
}

// create makes a segment with the header and the frames behind it, under its final name only when
// that much is durable.
func (j *Journal) create(h fileHeader, content []byte) (_ segment, err error) {
	name := segmentName(h.number)
	f, err := j.disk.Create(name + tmpSuffix)
	if err != nil {
		return segment{}, err
	}
	defer func() {
		if err != nil {
			f.Close()
			_ = j.disk.Remove(name + tmpSuffix) // it takes room; Open removes it otherwise
		}
	}()
	_ = f.Preallocate(j.opts.SegmentSize) // a hint: failing to reserve is not failing to write
	data := append(h.encode(), content...)
	for len(data)%frameAlign != 0 {
		data = append(data, 0)
	}
	if _, err := f.Write(data); err != nil {
		return segment{}, err
	}
	if err := f.Sync(); err != nil {
		return segment{}, err
	}
	if err := j.disk.Rename(name+tmpSuffix, name); err != nil {
		return segment{}, err
	}
	if err := j.disk.Sync(); err != nil {
		return segment{}, err
	}
	last := h.firstSeq - 1
	return segment{file: f, number: h.number, size: int64(len(data)), lastSeq: last, durable: last}, nil
}

// resume goes on where the files end. The last segment is written anew, even when it is whole: the
// last process may have died between write and sync, or seen its sync fail, and then what can be read
// is not what is on disk.
func (j *Journal) resume(f *found) (err error) {
	j.seals = newSeals(f.identity)
	if err := j.putAside(f); err != nil {
		return err
	}
	var content []byte
	if f.sound != nil {
		content = f.sound[fileHeaderSize:]
	}
	j.reserve.held = f.reserved
	if j.active, _, err = j.createInReserve(f.header, content); err != nil {
		return fmt.Errorf("write segment %d anew: %w", f.active, err)
	}
	j.active.lastSeq, j.active.durable = f.lastSeq, f.lastSeq
	j.snapshot.resume(f, j.opts.SnapshotAfter)
	// Only now: create has synced the directory, and with it the name of the snapshot that replaces
	// them. An unfinished file may have been written over by create.
	for _, name := range f.obsolete {
		if err := j.disk.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			j.active.file.Close()
			return fmt.Errorf("remove what is obsolete: %w", err)
		}
	}
	_ = j.Replenish() // its owner tries again when there is room
	return nil
}

// putAside keeps what Options.Salvage goes over for whoever wants to look at it.
func (j *Journal) putAside(f *found) error {
	if f.damaged != nil {
		if err := writeFile(j.disk, segmentName(f.active)+damagedSuffix, f.damaged); err != nil {
			return fmt.Errorf("set damaged segment %d aside: %w", f.active, err)
		}
	}
	for _, name := range f.aside {
		if err := j.disk.Rename(name, name+damagedSuffix); err != nil {
			return fmt.Errorf("set %s aside: %w", name, err)
		}
	}
	return nil
}

const damagedSuffix = ".damaged"

func writeFile(disk Disk, name string, data []byte) error {
	f, err := disk.Create(name)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}

// fail ends the journal for good and returns the error that says so.
func (j *Journal) fail(cause error) error {
	err := fmt.Errorf("%w: %w", ErrFailed, cause)
	j.mu.Lock()
	j.ended = err
	j.pending, j.spare = nil, nil
	j.backlog = 0 // waits for nothing any more, and nobody shall wait for it
	j.announceLocked()
	j.mu.Unlock()
	j.opts.Hooks.Failed(err)
	return err
}

// failure is why the journal failed, nil when it has not.
func (j *Journal) failure() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ended == ErrClosed {
		return nil
	}
	return j.ended
}
