package masterd

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/meseta/meseta/internal/spark/master"
)

// directory is a Store of one file for each record. Several Masters may share it: the one that holds
// the lock leads, the others stand by. (Spark's own recovery directory is for one Master, and its files
// are Java objects: neither understands the other's.)
type directory struct {
	path string
	lock *os.File
}

const (
	lockName   = "leader.lock"
	recordName = ".json"
)

func openDirectory(path string) (*directory, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("recovery directory: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(path, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("recovery directory: %w", err)
	}
	return &directory{path: path, lock: lock}, nil
}

// Lead takes the lock if it is free.
func (d *directory) Lead() (bool, error) {
	err := syscall.Flock(int(d.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

// Load reads all records. One that cannot be read is an error: to go on without it would lose an
// application.
func (d *directory) Load() ([]master.Record, error) {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return nil, fmt.Errorf("recovery directory: %w", err)
	}
	var all []master.Record
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), recordName) {
			continue
		}
		path := filepath.Join(d.path, e.Name())
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("recovery directory: %w", err)
		}
		r, err := readRecord(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w; to go on without it, remove it", path, err)
		}
		all = append(all, r)
	}
	return all, nil
}

// Save writes a file beside, and then puts it in its place.
func (d *directory) Save(r master.Record) error {
	b, err := writeRecord(r)
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(d.path, ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // nothing is left of it if all goes well
	_, err = tmp.Write(b)
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), d.file(r.Key())); err != nil {
		return err
	}
	return d.sync()
}

// Forget removes a file. That a removal is lost by a crash does no harm: what is not there any more does
// not answer the next Master.
func (d *directory) Forget(key string) error {
	if err := os.Remove(d.file(key)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Close gives the lock to another.
func (d *directory) Close() error { return d.lock.Close() }

func (d *directory) sync() error {
	dir, err := os.Open(d.path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// plain tells whether a key can be the name of a file as it is.
func plain(key string) bool {
	return key != "" && len(key) <= 201 && key[0] != '.' && key[0] != '-' &&
		strings.Trim(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == ""
}

// file is the name of a record's file. Keys come from the network: what is no plain name is hashed.
func (d *directory) file(key string) string {
	if !plain(key) {
		key = fmt.Sprintf("hash_%x", sha256.Sum256([]byte(key)))
	}
	return filepath.Join(d.path, key+recordName)
}
