package master

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"google.golang.org/protobuf/proto"

	linkpb "github.com/meseta/meseta/api/meseta/link/v1"
	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/cluster/clusterpb"
	"github.com/meseta/meseta/internal/registry"
	"github.com/meseta/meseta/internal/wire"
)

const (
	linkProtocol = "meseta-agent/1"
	linkVersion  = 1

	// maxAgentRecord is the longest message of an agent, in bytes: the first one, in which it describes all that it
	// runs. Agents bound that (node.Config.MaxSubscribe), and a test holds the two bounds against each other.
	maxAgentRecord = 192 << 20

	// greetSilence and greetTime are how long an agent may be silent until its first message is here, and how long
	// that may take in all.
	greetSilence = 10 * time.Second
	greetTime    = 2 * time.Minute
)

// agentLink is an agent at the other end of a link. Its number is its session.
type agentLink struct {
	*wire.Link
	id cluster.LinkID
	m  *Master
}

// serveAgent is the agent link: GET /agent-link with an upgrade. The agent speaks first.
func (m *Master) serveAgent(w http.ResponseWriter, r *http.Request) {
	raw, err := wire.AcceptLink(w, r, linkProtocol, wire.LinkOptions{MaxRecord: maxAgentRecord})
	if err != nil {
		m.log.Debug("agent link refused", "error", err)
		return
	}
	k := &agentLink{Link: raw, id: cluster.LinkID(m.nextLink.Add(1)), m: m}
	peer := r.RemoteAddr
	if !m.attendants.hire(func() { m.serveLink(k, peer) }) {
		k.Close(errStopping)
	}
}

// serveLink reads a link until it ends.
func (m *Master) serveLink(k *agentLink, peer string) {
	ctx, stop := context.WithCancel(m.lifetime)
	defer stop()
	guard := context.AfterFunc(ctx, func() { k.Close(context.Cause(ctx)) })
	defer guard()

	subscribe, err := k.greet(peer)
	if err != nil {
		k.sendRefusal(err)
		m.log.Warn("agent refused", "peer", peer, "error", err)
		return
	}
	if err := m.loop.deliver(ctx, delivery{in: subscribe, link: k}); err != nil {
		k.Close(err)
		return
	}
	m.attendants.hire(func() { k.keepAlive(ctx) })
	err = k.receiveAll(ctx)
	closed := cluster.LinkClosed{Link: k.id, Reason: err.Error()}
	if silence, ok := errors.AsType[silenceError](err); ok {
		closed.Silent = time.Duration(silence)
	}
	m.loop.deliverPatiently(ctx, delivery{in: closed})
}

// silenceError is the end of a link on which nothing was heard for so long.
type silenceError time.Duration

func (e silenceError) Error() string {
	return fmt.Sprintf("nothing heard for %s", time.Duration(e).Round(time.Second))
}

// awaitGreeting closes the link of an agent that does not come to the end of its first message.
func (k *agentLink) awaitGreeting(greeted <-chan struct{}) {
	tick := time.NewTicker(greetSilence / 4)
	defer tick.Stop()
	for begin := time.Now(); ; {
		select {
		case <-tick.C:
			if silent := time.Since(k.LastReceived()); silent > greetSilence {
				k.Close(fmt.Errorf("said nothing for %s after connecting", silent.Round(time.Second)))
			} else if time.Since(begin) > greetTime {
				k.Close(fmt.Errorf("did not say who it is within %s", greetTime))
			}
		case <-greeted:
			return
		case <-k.Done():
			return
		}
	}
}

// greet reads the first message.
func (k *agentLink) greet(peer string) (cluster.AgentSubscribe, error) {
	greeted := make(chan struct{})
	k.m.attendants.hire(func() { k.awaitGreeting(greeted) })
	record, err := k.Receive()
	close(greeted)
	if err != nil {
		return cluster.AgentSubscribe{}, err
	}
	message := new(linkpb.AgentMessage)
	if err := proto.Unmarshal(record, message); err != nil {
		return cluster.AgentSubscribe{}, fmt.Errorf("first message: %w", err)
	}
	s := message.GetSubscribe()
	switch {
	case s == nil:
		return cluster.AgentSubscribe{}, fmt.Errorf("first message is %T, expected Subscribe", message.Body)
	case s.Version != linkVersion:
		return cluster.AgentSubscribe{}, fmt.Errorf("agent speaks version %d of the agent link, this master speaks %d: "+
			"upgrade whichever is older", s.Version, linkVersion)
	case s.ClusterId != "" && s.ClusterId != k.m.clusterID:
		return cluster.AgentSubscribe{}, fmt.Errorf("agent belongs to cluster %s, this is cluster %s: "+
			"start it with another work directory, or point it at its own master", s.ClusterId, k.m.clusterID)
	}
	ip, _, err := net.SplitHostPort(peer)
	if err != nil {
		return cluster.AgentSubscribe{}, fmt.Errorf("address %q of the agent: %w", peer, err)
	}
	in, err := clusterpb.AgentSubscribeFrom(k.id, s, ip)
	if err != nil {
		return in, err
	}
	return in, registry.Check(registry.AdmitAgent{ID: cmp.Or(in.ID, "yet-unnamed"), Info: in.Info.Raw})
}

func (k *agentLink) receiveAll(ctx context.Context) error {
	for {
		record, err := k.Receive()
		if err != nil {
			return err
		}
		message := new(linkpb.AgentMessage)
		if err := proto.Unmarshal(record, message); err != nil {
			k.Close(fmt.Errorf("agent message: %w", err))
			return k.Err()
		}
		if message.Session != uint64(k.id) || message.Epoch != k.m.epoch {
			continue // of a former session
		}
		in, err := clusterpb.AgentInputFrom(k.id, message)
		if err != nil {
			k.Close(err)
			return err
		}
		if in == nil {
			continue
		}
		if err := k.m.loop.deliverPatiently(ctx, delivery{in: in}); err != nil {
			k.Close(err)
			return err
		}
	}
}

// keepAlive pings the agent and closes the link when nothing was heard for too long.
func (k *agentLink) keepAlive(ctx context.Context) {
	interval := k.m.config.AgentPingTimeout
	patience := interval * time.Duration(k.m.config.MaxAgentPingTimeouts)
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if silent := time.Since(k.LastReceived()); silent > patience {
				k.Close(silenceError(silent))
				return
			}
			ping, err := proto.Marshal(&linkpb.MasterMessage{Session: uint64(k.id), Epoch: k.m.epoch,
				Body: &linkpb.MasterMessage_Ping{Ping: &linkpb.Ping{}}})
			if err != nil || k.Send(ping) != nil {
				return
			}
		case <-k.Done():
			return
		case <-ctx.Done():
			return
		}
	}
}

// send encodes a command and queues it. A link that cannot take it has ended, and its reader tells.
func (k *agentLink) send(c cluster.Command) {
	record, err := proto.Marshal(k.m.leader().CommandTo(uint64(k.id), c))
	if err != nil {
		k.Close(fmt.Errorf("encode %T: %w", c, err))
		return
	}
	if err := k.Send(record); err != nil {
		k.m.log.Debug("command not sent", "link", k.id, "error", err)
	}
}

func (k *agentLink) sendRefusal(why error) {
	k.send(cluster.Refuse{Reason: why.Error(), Final: true})
	k.Finish(why)
}
