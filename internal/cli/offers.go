package cli

import (
	"context"
	"net"
	"strconv"

	"github.com/meseta/meseta/api/mesos/v1"
	masterpb "github.com/meseta/meseta/api/mesos/v1/master"
)

// OfferRow is an offer in a list.
type OfferRow struct {
	ID        string  `json:"id"`
	Framework string  `json:"framework_id"`
	Name      string  `json:"framework_name"`
	Agent     string  `json:"agent_id"`
	Hostname  string  `json:"hostname"`
	Address   string  `json:"address"`
	Role      string  `json:"role"`
	CPUs      float64 `json:"cpus"`
	Mem       float64 `json:"mem"`
	Disk      float64 `json:"disk"`
	Resources string  `json:"resources"` // all of them, in words
}

// Offers prints what is offered and was neither taken nor declined yet.
func (c *Client) Offers(ctx context.Context, s *Screen, o ListOptions) error {
	return printList(ctx, s, o, func(ctx context.Context) (*list[OfferRow], error) {
		r, err := c.Call(ctx, masterpb.Call_GET_FRAMEWORKS)
		if err != nil {
			return nil, err
		}
		var rows []OfferRow
		for _, f := range r.GetGetFrameworks().GetFrameworks() {
			for _, offer := range f.GetOffers() {
				rows = append(rows, offerRow(f, offer))
			}
		}
		return &list[OfferRow]{rows, offerColumns, "no offers are out: frameworks have taken or declined them all"}, nil
	})
}

var offerColumns = []column[OfferRow]{
	{title: "OFFER", cell: func(r OfferRow) string { return r.ID }, kind: anID},
	{title: "HELD BY", cell: func(r OfferRow) string { return r.Name }, kind: prose},
	{title: "FRAMEWORK", cell: func(r OfferRow) string { return r.Framework }, kind: anID, wide: true},
	{title: "HOST", cell: func(r OfferRow) string { return r.Hostname }, kind: prose},
	{title: "AGENT", cell: func(r OfferRow) string { return r.Agent }, kind: anID, wide: true},
	{title: "ROLE", cell: func(r OfferRow) string { return r.Role }},
	{title: "CPUS", cell: func(r OfferRow) string { return number(r.CPUs) }},
	{title: "MEM", cell: func(r OfferRow) string { return number(r.Mem) }},
	{title: "DISK", cell: func(r OfferRow) string { return number(r.Disk) }},
	{title: "RESOURCES", cell: func(r OfferRow) string { return r.Resources }, kind: prose, wide: true},
}

func offerRow(f *frameworkMessage, o *mesos.Offer) OfferRow {
	a := o.GetUrl().GetAddress()
	return OfferRow{
		ID: o.GetId().GetValue(), Framework: o.GetFrameworkId().GetValue(), Name: f.GetFrameworkInfo().GetName(),
		Agent: o.GetAgentId().GetValue(), Hostname: o.GetHostname(),
		Address: net.JoinHostPort(a.GetIp(), strconv.Itoa(int(a.GetPort()))),
		Role:    o.GetAllocationInfo().GetRole(),
		CPUs:    scalar(o.Resources, "cpus"), Mem: scalar(o.Resources, "mem"), Disk: scalar(o.Resources, "disk"),
		Resources: inWords(o.Resources),
	}
}
