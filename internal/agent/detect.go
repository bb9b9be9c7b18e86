package agent

import (
	"fmt"
	"math"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/endpoint"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/resources"
	"github.com/meseta/meseta/internal/resources/resourcepb"
)

// agentInfo is what the agent says about itself, before it has an id.
type agentInfo struct{ base *mesos.AgentInfo }

// with is the info of an agent that has an id, if it has one.
func (i agentInfo) with(id ids.AgentID) *mesos.AgentInfo {
	info := proto.CloneOf(i.base)
	if id != "" {
		info.Id = &mesos.AgentID{Value: new(string(id))}
	}
	return info
}

// describe makes the info of this agent. The configuration is valid.
func describe(c *Config, at endpoint.Endpoint) (agentInfo, error) {
	list, err := resources.Parse(c.Resources)
	if err != nil {
		return agentInfo{}, fmt.Errorf("resources: %w", err)
	}
	if list, err = withDetected(list, c.WorkDir); err != nil {
		return agentInfo{}, err
	}
	attributes, err := resources.ParseAttributes(c.Attributes)
	if err != nil {
		return agentInfo{}, fmt.Errorf("attributes: %w", err)
	}
	return agentInfo{&mesos.AgentInfo{
		Hostname:   &at.Hostname,
		Port:       new(int32(at.Address.Port())),
		Resources:  reserved(resourcepb.ToProto(list, resourcepb.Stacked), c.DefaultRole),
		Attributes: resourcepb.AttributesToProto(attributes),
	}}, nil
}

// reserved reserves for a role what is reserved for none.
func reserved(list []*mesos.Resource, role string) []*mesos.Resource {
	if role == string(ids.AnyRole) {
		return list
	}
	for _, r := range list {
		if len(r.Reservations) == 0 {
			r.Reservations = []*mesos.Resource_ReservationInfo{{Type: mesos.Resource_ReservationInfo_STATIC.Enum(), Role: &role}}
		}
	}
	return list
}

// withDetected adds what was not given: all processors; memory but for 1 GiB, or half of it if there is
// little; the disk but for 5 GiB, or half of it; and the usual ports. It is what Mesos does.
func withDetected(given resources.List, workDir string) (resources.List, error) {
	named := make(map[string]bool)
	for r := range given.All() {
		named[r.Name()] = true
	}
	add := func(name, value string) error {
		if named[name] {
			return nil
		}
		more, err := resources.Parse(name + ":" + value)
		if err != nil {
			return fmt.Errorf("detected resource %s: %w", name, err)
		}
		given = given.Add(more)
		return nil
	}
	memory, err := totalMemory()
	if err != nil && !named["mem"] {
		return given, fmt.Errorf("detect memory: %w", err)
	}
	disk, err := totalDisk(workDir)
	if err != nil && !named["disk"] {
		return given, fmt.Errorf("detect the size of the disk of %s: %w", workDir, err)
	}
	for _, r := range [...]struct{ name, value string }{
		{"cpus", fmt.Sprint(runtime.NumCPU())},
		{"mem", fmt.Sprint(leaveRoom(memory, 1<<10))},
		{"disk", fmt.Sprint(leaveRoom(disk, 5<<10))},
		{"ports", "[31000-32000]"},
	} {
		if err := add(r.name, r.value); err != nil {
			return given, err
		}
	}
	return given, nil
}

// leaveRoom takes off the room that the machine itself needs.
func leaveRoom(total, room uint64) uint64 {
	if total > 2*room {
		return total - room
	}
	return total / 2
}

// totalMemory is in MiB.
func totalMemory() (uint64, error) {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return 0, err
	}
	return uint64(info.Totalram) * uint64(info.Unit) >> 20, nil
}

// totalDisk is in MiB.
func totalDisk(dir string) (uint64, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return 0, err
	}
	size := float64(fs.Blocks) * float64(fs.Bsize) / (1 << 20)
	return uint64(math.Min(size, 1<<40)), nil
}

// bootID identifies the machine's boot.
func bootID() (string, error) {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("identify the machine's boot: %w", err)
	}
	return string(id[:max(0, len(id)-1)]), nil
}
