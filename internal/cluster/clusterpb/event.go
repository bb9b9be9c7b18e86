package clusterpb

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/meseta/meseta/api/mesos/v1"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	"github.com/meseta/meseta/internal/cluster"
)

// Greeting is what a master's shell adds to SUBSCRIBED.
type Greeting struct {
	Master    *mesos.MasterInfo
	Heartbeat time.Duration // how often HEARTBEAT comes
}

// EventTo is an event as its scheduler reads it.
func EventTo(e cluster.Event, g *Greeting) *schedulerpb.Event {
	switch e := e.(type) {
	case cluster.Subscribed:
		return &schedulerpb.Event{
			Type: schedulerpb.Event_SUBSCRIBED.Enum(),
			Subscribed: &schedulerpb.Event_Subscribed{
				FrameworkId:              &mesos.FrameworkID{Value: new(string(e.Framework))},
				HeartbeatIntervalSeconds: new(g.Heartbeat.Seconds()),
				MasterInfo:               g.Master,
			},
		}
	case cluster.Offers:
		offers := &schedulerpb.Event_Offers{}
		for _, o := range e.Offers {
			offers.Offers = append(offers.Offers, OfferTo(o))
		}
		return &schedulerpb.Event{Type: schedulerpb.Event_OFFERS.Enum(), Offers: offers}
	case cluster.Rescind:
		return &schedulerpb.Event{Type: schedulerpb.Event_RESCIND.Enum(),
			Rescind: &schedulerpb.Event_Rescind{OfferId: &mesos.OfferID{Value: new(string(e.Offer))}}}
	case cluster.Update:
		return &schedulerpb.Event{Type: schedulerpb.Event_UPDATE.Enum(),
			Update: &schedulerpb.Event_Update{Status: StatusTo(&e.Status)}}
	case cluster.ExecutorMessage:
		return &schedulerpb.Event{Type: schedulerpb.Event_MESSAGE.Enum(),
			Message: &schedulerpb.Event_Message{
				AgentId:    &mesos.AgentID{Value: new(string(e.Agent))},
				ExecutorId: &mesos.ExecutorID{Value: new(string(e.Executor))},
				Data:       e.Data,
			}}
	case cluster.Failure:
		failure := &schedulerpb.Event_Failure{AgentId: &mesos.AgentID{Value: new(string(e.Agent))}}
		if e.Executor != "" {
			failure.ExecutorId = &mesos.ExecutorID{Value: new(string(e.Executor))}
			failure.Status = &e.Status
		}
		return &schedulerpb.Event{Type: schedulerpb.Event_FAILURE.Enum(), Failure: failure}
	case cluster.Error:
		return &schedulerpb.Event{Type: schedulerpb.Event_ERROR.Enum(),
			Error: &schedulerpb.Event_Error{Message: &e.Message}}
	}
	panic(fmt.Sprintf("clusterpb: event of unknown type %T", e))
}

// UpdateBytes is the event that carries a status of an agent, as bytes of mesos.v1.scheduler.Event. It
// wraps the status without decoding it, for it is the event that is sent most.
func UpdateBytes(status []byte) []byte {
	update := protowire.AppendTag(nil, 1, protowire.BytesType) // Event.Update.status
	update = protowire.AppendBytes(update, status)
	b := make([]byte, 0, len(update)+16)
	b = protowire.AppendTag(b, 1, protowire.VarintType) // Event.type
	b = protowire.AppendVarint(b, uint64(schedulerpb.Event_UPDATE))
	b = protowire.AppendTag(b, 5, protowire.BytesType) // Event.update
	return protowire.AppendBytes(b, update)
}
