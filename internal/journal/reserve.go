package journal

import (
	"errors"
	"io/fs"
	"syscall"
)

// A full disk takes the journal away when it is needed most: what runs ends, and nobody can note how. So the
// journal holds some room back, a file that nobody reads, and gives it up for the next segment when there is no
// other room. With that it can write for a while, and its owner, who is told, takes no more work meanwhile.

const reserveName = "reserve"

// IsFull reports whether an error says that a disk, or somebody's share of it, is full.
func IsFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// Replenish holds the reserve again after it was given up; while it is held, and without Options.Reserve, it does
// nothing. It may be called at any time, by one goroutine.
func (j *Journal) Replenish() error {
	j.reserve.Lock()
	defer j.reserve.Unlock()
	if j.opts.Reserve == 0 || j.reserve.held {
		return nil
	}
	f, err := j.disk.Create(reserveName)
	if err != nil {
		return err
	}
	err = f.Preallocate(j.opts.Reserve)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		_ = j.disk.Remove(reserveName)
		return err
	}
	j.reserve.held = true
	return nil
}

// giveUpReserve makes room, if there is a reserve.
func (j *Journal) giveUpReserve() bool {
	j.reserve.Lock()
	defer j.reserve.Unlock()
	if !j.reserve.held {
		return false
	}
	j.reserve.held = false
	err := j.disk.Remove(reserveName)
	return err == nil || errors.Is(err, fs.ErrNotExist)
}

// createInReserve is create, with the room of the reserve when there is no other. It reports whether that was
// needed.
func (j *Journal) createInReserve(h fileHeader, content []byte) (s segment, needed bool, err error) {
	s, err = j.create(h, content)
	if IsFull(err) && j.giveUpReserve() {
		s, err = j.create(h, content)
		return s, true, err
	}
	return s, false, err
}
