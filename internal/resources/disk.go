package resources

import (
	"fmt"
	"slices"
)

// DiskInfo says which disk a disk resource is on, and which persistent volume
// is on it.
type DiskInfo struct {
	Source      *DiskSource // nil for the agent's own work directory
	Persistence *Persistence
	Volume      *Volume
}

// Persistence makes a disk resource a persistent volume.
type Persistence struct {
	ID        string
	Principal string // who created it, if anybody said
}

// Volume says where a container sees a persistent volume. It describes a use
// of the resource and not the resource, and so does not keep two apart.
type Volume struct {
	ContainerPath string
	HostPath      string
	ReadOnly      bool
}

// DiskKind is how a disk may be divided.
type DiskKind uint8

// A path may be shared out in any portions; a mounted or block device, and a
// raw disk that has an id, are given whole or not at all. The numbers are the
// wire's.
const (
	DiskPath DiskKind = iota + 1
	DiskMount
	DiskBlock
	DiskRaw
)

// String gives the name that the wire uses.
func (k DiskKind) String() string {
	if k < DiskPath || k > DiskRaw {
		return "UNKNOWN"
	}
	return [...]string{"PATH", "MOUNT", "BLOCK", "RAW"}[k-DiskPath]
}

// DiskSource is a disk of its own.
type DiskSource struct {
	Kind     DiskKind
	Root     string // of a path or mount
	Vendor   string
	ID       string
	Profile  string
	Metadata []Label
}

// indivisible says whether a resource on d is given whole or not at all.
func (d *DiskInfo) indivisible() bool {
	if d.Persistence != nil {
		return true
	}
	if d.Source == nil {
		return false
	}
	switch d.Source.Kind {
	case DiskMount, DiskBlock:
		return true
	case DiskRaw:
		return d.Source.ID != ""
	}
	return false
}

func (d *DiskInfo) check() error {
	if d.Persistence != nil && d.Persistence.ID == "" {
		return fmt.Errorf("a persistent volume needs an id")
	}
	if s := d.Source; s != nil {
		if s.Kind < DiskPath || s.Kind > DiskRaw {
			return fmt.Errorf("the type of its disk source is none of PATH, MOUNT, BLOCK and RAW")
		}
		if s.Root != "" && s.Kind != DiskPath && s.Kind != DiskMount {
			return fmt.Errorf("a %s disk has no root directory, but %q is given", s.Kind, s.Root)
		}
	}
	return nil
}

func (d *DiskInfo) clone() *DiskInfo {
	c := *d
	if c.Source != nil {
		c.Source = new(*c.Source)
		c.Source.Metadata = slices.Clone(c.Source.Metadata)
	}
	if c.Persistence != nil {
		c.Persistence = new(*c.Persistence)
	}
	if c.Volume != nil {
		c.Volume = new(*c.Volume)
	}
	return &c
}
