package journaltest

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"

	"github.com/meseta/meseta/internal/journal"
)

// sector is what a disk writes whole.
const sector = 512

// Disk is a journal.Disk in memory. It can fail on demand, and be cloned as it might be after a
// power failure. The zero value is an empty disk.
type Disk struct {
	// Fail is asked before each operation and makes it fail by returning an error. A write that fails
	// has written half of its bytes; a sync that fails has lost what it should have written, although
	// it can still be read and later syncs succeed, as on Linux.
	Fail func(op Op, name string) error

	// Reserve makes Preallocate work: files read as zeros up to what was reserved.
	Reserve bool

	// Capacity is how many bytes all files may have together, what is reserved included; 0 is no bound. It may
	// be changed between two calls.
	Capacity int

	mu      sync.Mutex
	entries map[string]*inode // as a process sees them
	durable map[string]*inode // as of the last Sync
	changes []change          // since the last Sync
}

// Op is an operation that can fail.
type Op string

// The operations of a Disk and of its files.
const (
	OpList     Op = "list"
	OpRead     Op = "read"
	OpCreate   Op = "create"
	OpRename   Op = "rename"
	OpRemove   Op = "remove"
	OpSyncDir  Op = "syncdir"
	OpWrite    Op = "write"
	OpSyncFile Op = "syncfile"
)

// inode is the content of a file: as it can be read, and as it is on the platters.
type inode struct {
	data    []byte
	durable []byte
	synced  int // data before this was synced, or lost by a sync that failed
	size    int // reserved; data shorter than this is followed by zeros
}

func (n *inode) read() []byte {
	return append(slices.Clone(n.data), make([]byte, max(0, n.size-len(n.data)))...)
}

// change is one operation on the directory: name gets the inode, or loses its own when that is nil.
type change struct {
	name  string
	inode *inode
	from  string // name that a rename takes away
}

func (d *Disk) init() {
	if d.entries == nil {
		d.entries, d.durable = map[string]*inode{}, map[string]*inode{}
	}
}

func (d *Disk) step(op Op, name string) error {
	d.init()
	if d.Fail == nil {
		return nil
	}
	return d.Fail(op, name)
}

// List implements journal.Disk.
func (d *Disk) List() ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step(OpList, ""); err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(d.entries)), nil
}

// Read implements journal.Disk.
func (d *Disk) Read(name string) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step(OpRead, name); err != nil {
		return nil, err
	}
	n, ok := d.entries[name]
	if !ok {
		return nil, fmt.Errorf("read %s: %w", name, fs.ErrNotExist)
	}
	return n.read(), nil
}

// Create implements journal.Disk.
func (d *Disk) Create(name string) (journal.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step(OpCreate, name); err != nil {
		return nil, err
	}
	n := &inode{}
	d.apply(change{name: name, inode: n})
	return &file{disk: d, name: name, inode: n}, nil
}

// Rename implements journal.Disk.
func (d *Disk) Rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step(OpRename, from); err != nil {
		return err
	}
	n, ok := d.entries[from]
	if !ok {
		return fmt.Errorf("rename %s: %w", from, fs.ErrNotExist)
	}
	d.apply(change{name: to, inode: n, from: from})
	return nil
}

// Remove implements journal.Disk.
func (d *Disk) Remove(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step(OpRemove, name); err != nil {
		return err
	}
	if _, ok := d.entries[name]; !ok {
		return fmt.Errorf("remove %s: %w", name, fs.ErrNotExist)
	}
	d.apply(change{name: name})
	return nil
}

// Sync implements journal.Disk.
func (d *Disk) Sync() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step(OpSyncDir, ""); err != nil {
		return err
	}
	d.durable, d.changes = maps.Clone(d.entries), nil
	return nil
}

// Close implements journal.Disk. The content stays, for the next who opens it.
func (d *Disk) Close() error { return nil }

// room is how many bytes more there is room for.
func (d *Disk) room() int {
	if d.Capacity == 0 {
		return math.MaxInt / 2
	}
	used := 0
	for _, n := range d.entries {
		used += max(len(n.data), n.size)
	}
	return d.Capacity - used
}

func (d *Disk) apply(c change) {
	d.changes = append(d.changes, c)
	c.on(d.entries)
}

func (c change) on(entries map[string]*inode) {
	if c.from != "" {
		delete(entries, c.from)
	}
	if c.inode == nil {
		delete(entries, c.name)
	} else {
		entries[c.name] = c.inode
	}
}

// Crash returns the disk as it might be after a power failure at this moment, by the choice of rng.
// What was synced is there. Each directory change that was not synced may or may not be; of what was
// written to a file and not synced any sectors may be, with zeros for the others, and the file may
// end anywhere behind what was synced.
func (d *Disk) Crash(rng *rand.Rand) *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.init()
	entries := maps.Clone(d.durable)
	for _, c := range d.changes {
		if rng.IntN(2) == 0 {
			c.on(entries)
		}
	}
	after := &Disk{Reserve: d.Reserve, entries: map[string]*inode{}}
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		data := entries[name].crash(rng)
		after.entries[name] = &inode{data: data, durable: slices.Clone(data), synced: len(data)}
	}
	after.durable = maps.Clone(after.entries)
	return after
}

func (n *inode) crash(rng *rand.Rand) (data []byte) {
	data = slices.Clone(n.durable)
	if n.size > 0 && rng.IntN(2) == 0 {
		defer func() { data = append(data, make([]byte, max(0, n.size-len(data)))...) }()
	}
	if rng.IntN(4) == 0 {
		return data // nothing of the rest came to disk
	}
	end := n.synced + rng.IntN(len(n.data)-n.synced+1)
	torn := rng.IntN(2) == 0
	for from := n.synced; from < end; {
		to := min((from/sector+1)*sector, end)
		data = append(data, make([]byte, to-len(data))...)
		if !torn || rng.IntN(2) == 0 {
			copy(data[from:to], n.data[from:to])
		}
		from = to
	}
	return data
}

// Damage changes one bit of a file, for tests of what happens when a disk does not keep its word.
func (d *Disk) Damage(name string, bit int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, ok := d.entries[name]
	if !ok {
		panic(fmt.Sprintf("no file %s to damage", name))
	}
	n.data[bit/8] ^= 1 << (bit % 8)
}

// Put makes a file of that content, durable at once; nil removes it.
func (d *Disk) Put(name string, data []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.init()
	if data == nil {
		delete(d.entries, name)
		delete(d.durable, name)
		return
	}
	n := &inode{data: slices.Clone(data), durable: slices.Clone(data), synced: len(data)}
	d.entries[name], d.durable[name] = n, n
}

// file is a journal.File of a Disk.
type file struct {
	disk   *Disk
	name   string
	inode  *inode
	closed bool
}

var errFileClosed = errors.New("the file is closed")

func (f *file) Write(b []byte) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.closed {
		return 0, errFileClosed
	}
	if err := f.disk.step(OpWrite, f.name); err != nil {
		f.inode.data = append(f.inode.data, b[:len(b)/2]...)
		return len(b) / 2, err
	}
	if room := max(0, f.inode.size-len(f.inode.data)) + max(0, f.disk.room()); len(b) > room {
		f.inode.data = append(f.inode.data, b[:room]...)
		return room, &fs.PathError{Op: "write", Path: f.name, Err: syscall.ENOSPC}
	}
	f.inode.data = append(f.inode.data, b...)
	return len(b), nil
}

func (f *file) Preallocate(size int64) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if !f.disk.Reserve {
		return &fs.PathError{Op: "preallocate", Path: f.name, Err: syscall.EOPNOTSUPP}
	}
	if int(size)-max(len(f.inode.data), f.inode.size) > f.disk.room() {
		return &fs.PathError{Op: "preallocate", Path: f.name, Err: syscall.ENOSPC}
	}
	f.inode.size = int(size)
	return nil
}

func (f *file) Sync() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.closed {
		return errFileClosed
	}
	n := f.inode
	written := n.data[n.synced:]
	n.synced = len(n.data)
	if err := f.disk.step(OpSyncFile, f.name); err != nil {
		n.durable = append(n.durable, make([]byte, len(written))...)
		return err
	}
	n.durable = append(n.durable, written...)
	return nil
}

func (f *file) Close() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.closed {
		return errFileClosed
	}
	f.closed = true
	return nil
}
