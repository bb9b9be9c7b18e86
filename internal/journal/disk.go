package journal

import "io"

// Disk is one directory and all that the journal does to it. Names are flat. Tests put a memory disk
// behind it that can crash and fail.
type Disk interface {
	// List returns the names of all files.
	List() ([]string, error)
	// Read returns the whole content of a file.
	Read(name string) ([]byte, error)
	// Create makes an empty file, replacing one of that name.
	Create(name string) (File, error)
	// Rename gives a file another name, replacing a file that has it.
	Rename(from, to string) error
	// Remove removes a file.
	Remove(name string) error
	// Sync makes creations, renames and removals durable; file contents are File.Sync's business.
	Sync() error
	// Close gives the directory up to other processes.
	Close() error
}

// File is a file being written from its beginning to its end.
type File interface {
	io.Writer
	// Preallocate reserves room as far as the file system can; the file then reads as zeros behind
	// what was written. Where it fails writing may still succeed.
	Preallocate(size int64) error
	// Sync makes what was written durable.
	Sync() error
	io.Closer
}
