// Package wire is the one transport shape of a cluster, server side and
// client side: the lower party subscribes, the answer is an endless stream of
// events, and calls go up beside it.
//
//	                 scheduler, executor             agent
//	down (events)    a held answer (Stream),         a Link:
//	                 read by an EventStream          RecordIO both ways
//	up (calls)       POSTs of a Client,              on one connection
//	                 read by DecodeCall
//
// It owns RecordIO framing, content negotiation and the exact error answers
// of Mesos' v1 HTTP API, heartbeats, and back-pressure. It knows no call and
// no event: messages are proto.Message, stream ids are strings that the
// caller chose, and who may say what is decided elsewhere. Nothing in here
// retries, logs or sleeps; an error goes to the one who can decide.
//
// # Invariants
//
//   - Sending never blocks. Records wait in a queue that is bounded in bytes;
//     whoever lets it fill up is disconnected ([ErrSlowConsumer]).
//   - One record of a Stream is exactly one HTTP chunk, because there are
//     clients that take a chunk for a record. One write may carry many chunks.
//   - An idle Stream costs one parked goroutine and no buffer: a writer exists
//     only while something is queued.
//   - What a peer sends is bounded before it is stored: bodies, heads, records
//     and the length of a record's length.
//   - A call is sent once. When its connection breaks before the answer, the
//     caller gets [ErrNoAnswer] and knows that it cannot know.
//
// # Reading order
//
// record.go has the framing, codec.go and decode.go what a request and its
// answer look like, outbox.go the queue under everything that is held open,
// stream.go and link.go the two held shapes on top of it, and client.go the
// other end.
package wire
