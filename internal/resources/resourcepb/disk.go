package resourcepb

import (
	"fmt"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/resources"
)

func readDisk(m *mesos.Resource_DiskInfo) (*resources.DiskInfo, error) {
	if m == nil {
		return nil, nil
	}
	disk := &resources.DiskInfo{}
	if p := m.GetPersistence(); p != nil {
		disk.Persistence = &resources.Persistence{ID: p.GetId(), Principal: p.GetPrincipal()}
	}
	if v := m.GetVolume(); v != nil {
		if v.GetImage() != nil || v.GetSource() != nil {
			return nil, fmt.Errorf("its volume has an image or source, which a disk resource cannot have")
		}
		disk.Volume = &resources.Volume{
			ContainerPath: v.GetContainerPath(),
			HostPath:      v.GetHostPath(),
			ReadOnly:      v.GetMode() == mesos.Volume_RO,
		}
	}
	source, err := readSource(m.GetSource())
	disk.Source = source
	return disk, err
}

func readSource(m *mesos.Resource_DiskInfo_Source) (*resources.DiskSource, error) {
	if m == nil {
		return nil, nil
	}
	source := &resources.DiskSource{
		Vendor:   m.GetVendor(),
		ID:       m.GetId(),
		Profile:  m.GetProfile(),
		Metadata: readLabels(m.GetMetadata()),
	}
	if kind := m.GetType(); kind >= mesos.Resource_DiskInfo_Source_PATH && kind <= mesos.Resource_DiskInfo_Source_RAW {
		source.Kind = resources.DiskKind(kind)
	}
	path, mount := m.GetPath() != nil, m.GetMount() != nil
	switch {
	case path && source.Kind == resources.DiskPath && !mount:
		source.Root = m.GetPath().GetRoot()
	case mount && source.Kind == resources.DiskMount && !path:
		source.Root = m.GetMount().GetRoot()
	case path || mount:
		return nil, fmt.Errorf("its disk source is a %s, but has the root of something else", source.Kind)
	}
	return source, nil
}

func writeDisk(disk *resources.DiskInfo) *mesos.Resource_DiskInfo {
	if disk == nil {
		return nil
	}
	m := &mesos.Resource_DiskInfo{Source: writeSource(disk.Source)}
	if p := disk.Persistence; p != nil {
		m.Persistence = &mesos.Resource_DiskInfo_Persistence{Id: &p.ID, Principal: optional(p.Principal)}
	}
	if v := disk.Volume; v != nil {
		mode := mesos.Volume_RW
		if v.ReadOnly {
			mode = mesos.Volume_RO
		}
		m.Volume = &mesos.Volume{Mode: &mode, ContainerPath: &v.ContainerPath, HostPath: optional(v.HostPath)}
	}
	return m
}

func writeSource(source *resources.DiskSource) *mesos.Resource_DiskInfo_Source {
	if source == nil {
		return nil
	}
	m := &mesos.Resource_DiskInfo_Source{
		Type:     new(mesos.Resource_DiskInfo_Source_Type(source.Kind)),
		Vendor:   optional(source.Vendor),
		Id:       optional(source.ID),
		Profile:  optional(source.Profile),
		Metadata: writeLabels(source.Metadata),
	}
	if source.Root == "" {
		return m
	}
	switch source.Kind {
	case resources.DiskPath:
		m.Path = &mesos.Resource_DiskInfo_Source_Path{Root: &source.Root}
	case resources.DiskMount:
		m.Mount = &mesos.Resource_DiskInfo_Source_Mount{Root: &source.Root}
	}
	return m
}
