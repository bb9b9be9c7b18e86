package journal

// OpenDir is the disk that Open uses, for tests that put something before it.
func OpenDir(path string) (Disk, error) { return openDir(path) }
