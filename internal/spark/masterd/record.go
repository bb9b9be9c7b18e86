package masterd

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/meseta/meseta/internal/spark/deploy"
	"github.com/meseta/meseta/internal/spark/endpoint"
	"github.com/meseta/meseta/internal/spark/master"
	"github.com/meseta/meseta/internal/spark/serial"
)

// record is a master.Record in a file. Most of it is the message by which its subject came to the Master,
// in the classes of its own build: an application's description may hold more than we know of, and is
// handed to executors as it came.
type record struct {
	Version   int
	ID        string
	Submitted time.Time
	Builds    []string
	Message   []byte // a Java object stream
}

// recordVersion is that of the format. 1 (2026-11): the first.
const recordVersion = 1

func writeRecord(r master.Record) ([]byte, error) {
	out := record{Version: recordVersion}
	var builds []*deploy.Build
	var message deploy.Message
	switch r := r.(type) {
	case master.WorkerRecord:
		out.ID, builds = r.ID, []*deploy.Build{r.Build}
		message = deploy.RegisterWorker{
			ID: r.ID, Host: r.Host, Port: r.Port, Worker: r.Ref, Cores: r.Cores, Memory: r.Memory, WebUI: r.WebUI, Resources: r.Resources,
		}
	case master.AppRecord:
		out.ID, out.Submitted, builds = r.ID, r.Submitted, []*deploy.Build{r.Build}
		message = deploy.RegisterApplication{App: r.Desc, Driver: r.Driver}
	case master.DriverRecord:
		out.ID, out.Submitted, builds = r.ID, r.Submitted, r.Builds
		message = deploy.RequestSubmitDriver{Driver: r.Desc}
	}
	for _, b := range builds {
		out.Builds = append(out.Builds, b.String())
	}
	if len(builds) == 0 {
		return nil, fmt.Errorf("%s is of no known build", r.Key())
	}
	content, err := builds[0].Encode(message)
	if err == nil {
		out.Message, err = serial.Encode(content)
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(out)
}

func readRecord(b []byte) (master.Record, error) {
	var in record
	if err := json.Unmarshal(b, &in); err != nil {
		return nil, err
	}
	if in.Version != recordVersion {
		return nil, fmt.Errorf("format %d of records, expected %d", in.Version, recordVersion)
	}
	builds, err := buildsNamed(in.Builds)
	if err != nil {
		return nil, err
	}
	content, err := serial.DecodeOne(in.Message, serial.Limits{})
	if err != nil {
		return nil, err
	}
	message, err := deploy.Decode(content, 0)
	if err != nil {
		return nil, err
	}
	switch m := message.(type) {
	case deploy.RegisterWorker:
		return master.WorkerRecord{
			ID: in.ID, Host: m.Host, Port: m.Port, Cores: m.Cores, Memory: m.Memory, WebUI: m.WebUI,
			Ref: reachable(m.Worker), Build: builds[0], Resources: m.Resources,
		}, nil
	case deploy.RegisterApplication:
		return master.AppRecord{ID: in.ID, Submitted: in.Submitted, Desc: m.App, Driver: reachable(m.Driver), Build: builds[0]}, nil
	case deploy.RequestSubmitDriver:
		return master.DriverRecord{ID: in.ID, Submitted: in.Submitted, Desc: m.Driver, Builds: builds}, nil
	}
	return nil, fmt.Errorf("a record of %T", message)
}

// reachable is a reference without its connection, which has not outlived the Master that had it.
func reachable(r endpoint.Ref) endpoint.Ref {
	r.Via = 0
	return r
}

func buildsNamed(names []string) ([]*deploy.Build, error) {
	var all []*deploy.Build
	for _, name := range names {
		at := slices.IndexFunc(deploy.Builds(), func(b *deploy.Build) bool { return b.String() == name })
		if at < 0 {
			return nil, fmt.Errorf("build %q, expected one of %v", name, deploy.Builds())
		}
		all = append(all, deploy.Builds()[at])
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no build, expected one of %v", deploy.Builds())
	}
	return all, nil
}
