package schedulercore_test

import (
	"bytes"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	. "github.com/meseta/meseta/internal/sdk/schedulercore"
	"github.com/meseta/meseta/internal/wire"
)

// FuzzEvents hands a driver whatever decodes as a stream of events, as a hostile server may send them.
func FuzzEvents(f *testing.F) {
	var seed []byte
	for _, event := range []*schedulerpb.Event{
		{Type: schedulerpb.Event_SUBSCRIBED.Enum(), Subscribed: &schedulerpb.Event_Subscribed{
			FrameworkId: &mesos.FrameworkID{Value: new("F")}, HeartbeatIntervalSeconds: new(15.0)}},
		{Type: schedulerpb.Event_OFFERS.Enum(), Offers: &schedulerpb.Event_Offers{Offers: []*mesos.Offer{{
			Id: &mesos.OfferID{Value: new("O")}, FrameworkId: &mesos.FrameworkID{Value: new("F")},
			AgentId: &mesos.AgentID{Value: new("A")}, Hostname: new("h")}}}},
		{Type: schedulerpb.Event_UPDATE.Enum(), Update: &schedulerpb.Event_Update{Status: &mesos.TaskStatus{
			TaskId: &mesos.TaskID{Value: new("t")}, State: mesos.TaskState_TASK_RUNNING.Enum(), Uuid: []byte("0123456789abcdef")}}},
		{Type: schedulerpb.Event_RESCIND.Enum(), Rescind: &schedulerpb.Event_Rescind{OfferId: &mesos.OfferID{Value: new("O")}}},
		{Type: schedulerpb.Event_ERROR.Enum(), Error: &schedulerpb.Event_Error{Message: new("no")}},
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
			event := new(schedulerpb.Event)
			if proto.Unmarshal(record, event) == nil {
				p.step(Received{Stream: 1, Event: event})
			}
		}
		p.now.Mono += time.Hour
		p.step(Tick{})
	})
}
