package master

import (
	"google.golang.org/protobuf/proto"

	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/cluster/clusterpb"
	"github.com/meseta/meseta/internal/wire"
)

// encodeEvent gives an event as the record of a scheduler's stream.
func (m *Master) encodeEvent(codec wire.Codec, e cluster.Event) ([]byte, error) {
	if u, ok := e.(cluster.Update); ok && codec == wire.Protobuf && u.Status.Raw != nil {
		return clusterpb.UpdateBytes(u.Status.Raw), nil
	}
	return codec.Marshal(clusterpb.EventTo(e, &clusterpb.Greeting{Master: m.info, Heartbeat: heartbeatInterval}))
}

// leader is what agents are told of this master.
func (m *Master) leader() *clusterpb.Leader {
	return &clusterpb.Leader{ClusterID: m.clusterID, MasterID: m.id, Epoch: m.epoch,
		PingInterval: m.config.AgentPingTimeout, MaxMissedPings: m.config.MaxAgentPingTimeouts}
}

// heartbeats are the record of a HEARTBEAT event in each encoding. All streams share them.
type heartbeats map[wire.Codec][]byte

func encodeHeartbeats(event proto.Message) (heartbeats, error) {
	records := make(heartbeats)
	for _, codec := range []wire.Codec{wire.JSON, wire.Protobuf} {
		record, err := codec.Marshal(event)
		if err != nil {
			return nil, err
		}
		records[codec] = record
	}
	return records, nil
}
