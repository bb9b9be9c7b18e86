package executorcore_test

import (
	"bytes"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	. "github.com/meseta/meseta/internal/sdk/executorcore"
	"github.com/meseta/meseta/internal/wire"
)

// FuzzEvents hands a driver whatever decodes as a stream of events, as a hostile server may send them.
func FuzzEvents(f *testing.F) {
	var seed []byte
	framework := &mesos.FrameworkInfo{Id: &mesos.FrameworkID{Value: new("F")}, Name: new("f"), User: new("u")}
	for _, event := range []*executorpb.Event{
		{Type: executorpb.Event_SUBSCRIBED.Enum(), Subscribed: &executorpb.Event_Subscribed{FrameworkInfo: framework,
			ExecutorInfo: &mesos.ExecutorInfo{ExecutorId: &mesos.ExecutorID{Value: new("E")}},
			AgentInfo:    &mesos.AgentInfo{Hostname: new("h")}}},
		{Type: executorpb.Event_LAUNCH.Enum(), Launch: &executorpb.Event_Launch{Task: &mesos.TaskInfo{Name: new("t"),
			TaskId: &mesos.TaskID{Value: new("t")}, AgentId: &mesos.AgentID{Value: new("A")}}}},
		{Type: executorpb.Event_KILL.Enum(), Kill: &executorpb.Event_Kill{TaskId: &mesos.TaskID{Value: new("t")}}},
		{Type: executorpb.Event_ACKNOWLEDGED.Enum(), Acknowledged: &executorpb.Event_Acknowledged{
			TaskId: &mesos.TaskID{Value: new("t")}, Uuid: []byte("0123456789abcdef")}},
		{Type: executorpb.Event_SHUTDOWN.Enum()},
	} {
		record, err := proto.Marshal(event)
		if err != nil {
			f.Fatal(err)
		}
		seed = wire.AppendRecord(seed, record)
		f.Add(bytes.Clone(seed))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		p := newPlayer()
		p.core = New(p.cfg)
		p.step(Start{})
		records := wire.NewRecordReader(bytes.NewReader(stream), 1<<20)
		for {
			record, err := records.Next()
			if err != nil {
				break
			}
			event := new(executorpb.Event)
			if proto.Unmarshal(record, event) == nil {
				p.step(Received{Stream: 1, Event: event})
			}
		}
		p.now.Mono += time.Hour
		p.step(Tick{})
	})
}
