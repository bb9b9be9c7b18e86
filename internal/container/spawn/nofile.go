package spawn

import "syscall"

// nofile is the limit on open files this process was given. Package os raises
// the soft limit in its own initialisation, and what programs were started with
// must be handed on to those started here: some of them loop up to it, some
// break on descriptors over 1023. It is read while package variables are
// initialised, which for this package is before os: packages that are ready are
// initialised in the order of their import paths, and this one needs only
// syscall and what syscall needs.
var nofile, nofileKnown = readNofile()

func readNofile() (limit syscall.Rlimit, ok bool) {
	err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit)
	return limit, err == nil
}
