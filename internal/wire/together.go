package wire

import (
	"context"
	"errors"
	"time"

	"google.golang.org/protobuf/proto"
)

// What may be on the way at the same time: so little that the answers fit into what the kernel holds for us
// while we still write.
const (
	maxTogether      = 64
	maxTogetherBytes = 32 << 10
)

// CallTogether sends calls as Call does, but does not wait for the answer to one before it sends the next. It
// returns an error, or nil, for each. When the connection fails, all that are on the way are [ErrNoAnswer]:
// it is for calls that may be repeated.
func (c *Client) CallTogether(ctx context.Context, calls ...proto.Message) []error {
	errs := make([]error, len(calls))
	for n := 0; n < len(calls); {
		if more := c.together(ctx, calls[n:], errs[n:]); more > 0 {
			n += more
			continue
		}
		errs[n] = c.call(ctx, calls[n], nil)
		n++
	}
	return errs
}

// together sends several calls, as many as may be on the way, and returns how many those were: none where there
// is no company, or no connection that is known to lead to the master of the subscription.
func (c *Client) together(ctx context.Context, calls []proto.Message, errs []error) int {
	if len(calls) < 2 {
		return 0
	}
	to, leave, err := c.enter(ctx, calls[0])
	if err != nil {
		return 0 // the call says why
	}
	defer leave()
	line := c.lively(to)
	if line == nil {
		return 0
	}
	requests, n := c.encodeSome(to.head, calls)
	if n == 0 {
		return 0
	}
	release := line.bind(ctx, time.Now().Add(c.opts.CallTimeout))
	failure := release(c.exchangeSome(line, requests, errs[:n]))
	if failure != nil {
		for i := range n {
			if errors.Is(errs[i], ErrNoAnswer) {
				errs[i] = failure
			}
		}
	}
	if !line.reusable {
		c.hangUp(line)
	}
	return n
}

// lively is the connection of calls, if it exists already and leads where the subscription is.
func (c *Client) lively(to target) *conn {
	c.mu.Lock()
	line := c.line
	c.mu.Unlock()
	if !to.streamed || line == nil || line.to != to.endpoint || !line.alive() {
		return nil
	}
	return line
}

// encodeSome lays several requests out behind each other. It stops at one that cannot be encoded.
func (c *Client) encodeSome(head string, calls []proto.Message) (requests []byte, n int) {
	for n < min(len(calls), maxTogether) && len(requests) < maxTogetherBytes {
		request, err := c.encode(head, calls[n])
		if err != nil {
			break
		}
		requests = append(requests, request...)
		n++
	}
	return requests, n
}

// exchangeSome writes several requests and reads as many answers. It returns why the connection failed, if it did.
func (c *Client) exchangeSome(line *conn, requests []byte, errs []error) error {
	failure := line.send(requests)
	for i := range errs {
		if failure != nil {
			errs[i] = failure
			continue
		}
		errs[i] = c.receive(line, nil)
		switch {
		case line.reusable:
		case errors.Is(errs[i], ErrNoAnswer):
			failure = errs[i]
		default:
			failure = line.noAnswer(errors.New("the server has closed the connection"))
		}
	}
	return failure
}
