package resources

import "strings"

// String prints r as Mesos does, which people and programs have learnt to
// read in logs and error messages:
//
//	mem(allocated: dev)(reservations: [(DYNAMIC,dev,ops,{a: b})]):64
func (r Resource) String() string {
	return string(r.append(nil))
}

// String prints l as Mesos does: "cpus:8; mem:8192; ports:[31000-32000]", and
// "{}" if it is empty.
func (l List) String() string {
	if l.IsEmpty() {
		return "{}"
	}
	var b []byte
	for i, r := range l.items {
		if i > 0 {
			b = append(b, "; "...)
		}
		b = r.append(b)
	}
	return string(b)
}

func (r Resource) append(b []byte) []byte {
	b = append(b, r.name...)
	if r.allocated != "" {
		b = append(b, "(allocated: "+string(r.allocated)+")"...)
	}
	if r.traits != nil {
		b = r.traits.append(b)
	}
	b = append(b, ':')
	switch r.kind {
	case KindScalar:
		b = r.scalar.append(b)
	case KindRanges:
		b = r.Ranges().append(b)
	case KindSet:
		b = append(b, r.Set().String()...)
	}
	if r.Shared() {
		b = append(b, '<')
		b = (Scalar(r.copies) * One).append(b)
		b = append(b, '>')
	}
	return b
}

func (t *traits) append(b []byte) []byte {
	if len(t.stack) > 0 {
		b = append(b, "(reservations: "+formatStack(t.stack)+")"...)
	}
	if t.disk != nil {
		b = append(b, "["+t.disk.String()+"]"...)
	}
	if t.revocable {
		b = append(b, "{REV}"...)
	}
	if t.shared {
		b = append(b, "<SHARED>"...)
	}
	return b
}

func formatStack(stack []Reservation) string {
	var parts []string
	for _, r := range stack {
		parts = append(parts, "("+r.String()+")")
	}
	return "[" + strings.Join(parts, ",") + "]"
}

// String prints r as "DYNAMIC,dev,ops,{a: b}".
func (r Reservation) String() string {
	text := r.Kind.String() + "," + string(r.Role)
	if r.Principal != "" {
		text += "," + r.Principal
	}
	if len(r.Labels) > 0 {
		text += "," + formatLabels(r.Labels)
	}
	return text
}

func formatLabels(labels []Label) string {
	var parts []string
	for _, l := range labels {
		if l.HasValue {
			parts = append(parts, l.Key+": "+l.Value)
		} else {
			parts = append(parts, l.Key)
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// String prints d as "MOUNT:/mnt/a,id:container/path".
func (d *DiskInfo) String() string {
	var text string
	if d.Source != nil {
		text = d.Source.String()
	}
	if d.Persistence != nil {
		if text != "" {
			text += ","
		}
		text += d.Persistence.ID
	}
	if d.Volume != nil {
		text += ":" + d.Volume.String()
	}
	return text
}

// String prints s as "MOUNT:/mnt/a", or with the names its vendor knows it by.
func (s *DiskSource) String() string {
	switch {
	case s.ID != "" || s.Profile != "":
		return s.Kind.String() + "(" + s.Vendor + "," + s.ID + "," + s.Profile + ")"
	case s.Root != "":
		return s.Kind.String() + ":" + s.Root
	}
	return s.Kind.String()
}

// String prints v as "container/path", or as "host/path:container/path:rw".
func (v *Volume) String() string {
	if v.HostPath == "" {
		return v.ContainerPath
	}
	mode := ":rw"
	if v.ReadOnly {
		mode = ":ro"
	}
	return v.HostPath + ":" + v.ContainerPath + mode
}
