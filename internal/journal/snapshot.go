package journal

import (
	"context"
	"encoding/binary"
	"fmt"
	"iter"
)

// snapshotChunk is how much of a snapshot is gathered before it is written.
const snapshotChunk = 256 << 10

// snapshotJob is one snapshot on its way. It stands for everything before segment number, which
// exists by the time the job starts; the old files are removed only after the switch, so that a
// snapshot which fails, or never ends, leaves the log as it was.
type snapshotJob struct {
	records  iter.Seq[[]byte]
	number   uint64
	firstSeq uint64
	logBytes int64 // of the log that it stands for
}

// snapshotState is what decides about the next snapshot.
type snapshotState struct {
	running  bool
	logBytes int64 // in the log since the last snapshot
	wantedAt int64 // logBytes from which a snapshot pays
}

func (s *snapshotState) resume(f *found, after int64) {
	s.logBytes = f.logBytes
	s.wantedAt = max(after, 2*f.snapBytes)
}

// Snapshot implements [Log].
func (j *Journal) Snapshot(records iter.Seq[[]byte]) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ended != nil {
		return j.ended
	}
	if j.snapshot.running {
		return ErrSnapshotRunning
	}
	j.snapshot.running = true
	j.openGroupLocked().cut = &snapshotJob{records: records}
	j.signal()
	return nil
}

// WantsSnapshot implements [Log].
func (j *Journal) WantsSnapshot() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return !j.snapshot.running && j.ended == nil && j.snapshot.logBytes >= j.snapshot.wantedAt
}

// finishSnapshot carries a snapshot out and says how it ended.
func (j *Journal) finishSnapshot(ctx context.Context, job *snapshotJob) {
	j.mu.Lock()
	job.logBytes = j.snapshot.logBytes
	j.mu.Unlock()

	size, err := j.writeSnapshot(ctx, job)
	j.snapshotEnded(job, size, err == nil)
	if err == nil {
		err = j.removeBefore(job.number)
	}
	if err != nil {
		err = fmt.Errorf("snapshot before segment %d: %w", job.number, err)
	}
	j.opts.Hooks.Snapshotted(size, err)
}

// snapshotEnded decides when the next snapshot pays. After a failure the log has to grow by as much
// as after a success, so that a full disk is not asked again at once.
func (j *Journal) snapshotEnded(job *snapshotJob, size int64, ok bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := &j.snapshot
	s.running = false
	if ok {
		s.logBytes -= job.logBytes
		s.wantedAt = max(j.opts.SnapshotAfter, 2*size)
	} else {
		s.wantedAt = s.logBytes + j.opts.SnapshotAfter
	}
}

// writeSnapshot writes the snapshot beside the log and switches to it. It returns its size.
func (j *Journal) writeSnapshot(ctx context.Context, job *snapshotJob) (int64, error) {
	name := snapshotName(job.number)
	f, err := j.disk.Create(name + tmpSuffix)
	if err != nil {
		return 0, err
	}
	size, err := j.fillSnapshot(ctx, f, job)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		_ = j.disk.Remove(name + tmpSuffix) // Open removes it otherwise
		return 0, err
	}
	if err := j.disk.Rename(name+tmpSuffix, name); err != nil {
		return 0, err
	}
	return size, j.disk.Sync()
}

func (j *Journal) fillSnapshot(ctx context.Context, f File, job *snapshotJob) (int64, error) {
	w := snapshotWriter{file: f, seals: j.seals}
	w.buf = fileHeader{
		magic:    snapshotMagic,
		number:   job.number,
		firstSeq: job.firstSeq,
		identity: j.seals.identity,
	}.encode()
	if err := w.write(); err != nil {
		return 0, err
	}
	for record := range job.records {
		w.add([][]byte{record})
		w.count++
		if len(w.buf) < snapshotChunk {
			continue
		}
		if err := ctx.Err(); err != nil {
			return 0, context.Cause(ctx)
		}
		if err := w.writeFrames(frameMagic); err != nil {
			return 0, err
		}
	}
	if err := w.writeFrames(frameMagic); err != nil {
		return 0, err
	}
	w.begin()
	w.buf = binary.AppendUvarint(w.buf, w.count)
	w.spans[0].end = len(w.buf)
	if err := w.writeFrames(finalMagic); err != nil {
		return 0, err
	}
	return w.size, f.Sync()
}

// snapshotWriter writes the frames of a snapshot as they fill.
type snapshotWriter struct {
	frames
	file    File
	seals   seals
	lastSeq uint64
	count   uint64
	size    int64
}

func (w *snapshotWriter) writeFrames(magic uint32) error {
	w.lastSeq = w.seal(w.seals, magic, w.lastSeq, 0)
	return w.write()
}

func (w *snapshotWriter) write() error {
	n, err := w.file.Write(w.buf)
	w.size += int64(n)
	w.reset()
	return err
}

// removeBefore removes what the snapshot before the segment of that number has replaced.
func (j *Journal) removeBefore(number uint64) error {
	l, err := list(j.disk)
	if err != nil {
		return err
	}
	var names []string
	for _, n := range l.segments {
		if n < number {
			names = append(names, segmentName(n))
		}
	}
	for _, n := range l.snapshots {
		if n < number {
			names = append(names, snapshotName(n))
		}
	}
	for _, name := range names {
		if err := j.disk.Remove(name); err != nil {
			return fmt.Errorf("remove what it replaced: %w", err)
		}
	}
	return nil
}
