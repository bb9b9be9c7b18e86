package wire

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/meseta/meseta/internal/wire/mesosjson"
)

// DefaultBodyLimit is the largest body of a call unless a server says
// otherwise. An ACCEPT of some thousand tasks has a few MiB.
const DefaultBodyLimit = 64 << 20

// DecodeCall reads the body of r, at most limit bytes, into call. If that
// cannot be done it has answered, in Mesos' words, and ok is false.
//
// accept is the codec for the answer. It is zero if the Accept header allows
// none, which is an error ([NotAcceptable]) only for calls that are answered
// with a message or a stream: the call's type decides, so the caller does.
func DecodeCall(w http.ResponseWriter, r *http.Request, call proto.Message, limit int64) (accept Codec, ok bool) {
	if r.Method != http.MethodPost {
		MethodNotAllowed(w, r, http.MethodPost)
		return 0, false
	}
	codec, ok := bodyCodec(w, r)
	if !ok {
		return 0, false
	}
	body := bodies.Get().(*[]byte)
	defer recycle(body)
	if err := readBody(body, r, limit); err != nil {
		refuseBody(w, err, limit)
		return 0, false
	}
	if err := codec.Unmarshal(*body, call); err != nil {
		Answer(w, http.StatusBadRequest, undecodable(codec, call, err))
		return 0, false
	}
	return acceptedCodec(r.Header["Accept"]), true
}

// bodyCodec is the codec that the request's body is in.
func bodyCodec(w http.ResponseWriter, r *http.Request) (codec Codec, ok bool) {
	contentType := r.Header["Content-Type"]
	if len(contentType) == 0 {
		Answer(w, http.StatusBadRequest, "Expecting 'Content-Type' to be present")
		return 0, false
	}
	codec = codecOf(contentType[0])
	if codec == 0 {
		Answer(w, http.StatusUnsupportedMediaType,
			"Expecting 'Content-Type' of application/json or application/x-protobuf")
		return 0, false
	}
	if encoding := r.Header["Content-Encoding"]; len(encoding) > 0 && encoding[0] != "identity" {
		Answerf(w, http.StatusUnsupportedMediaType,
			"Expecting no 'Content-Encoding', but received '%s'", encoding[0])
		return 0, false
	}
	return codec, true
}

// undecodable says why a body is no call, the way Mesos does.
func undecodable(codec Codec, call proto.Message, err error) string {
	if codec == Protobuf {
		return "Failed to parse body into " + messageName(call) + " protobuf"
	}
	if syntax, ok := errors.AsType[*mesosjson.SyntaxError](err); ok {
		return "Failed to parse body into JSON: " + syntax.Error()
	}
	return "Failed to convert JSON into " + messageName(call) + " protobuf: " + err.Error()
}

var errBodyTooLarge = errors.New("body too large")

func refuseBody(w http.ResponseWriter, err error, limit int64) {
	if errors.Is(err, errBodyTooLarge) {
		Answerf(w, http.StatusRequestEntityTooLarge, "Expecting a body of at most %d bytes", limit)
		return
	}
	if errors.Is(err, errBodiesTogether) {
		w.Header().Set("Retry-After", "1")
		Answer(w, http.StatusServiceUnavailable, "Try again: "+errBodiesTogether.Error())
		return
	}
	Answerf(w, http.StatusBadRequest, "Failed to read body: %v", err)
}

// bodies lends out buffers for request bodies.
var bodies = sync.Pool{New: func() any { return new(make([]byte, 0, 4<<10)) }}

// recycle takes a buffer back, unless one big call has made it too large to
// keep.
func recycle(body *[]byte) {
	if cap(*body) <= keepBuffer {
		*body = (*body)[:0]
		bodies.Put(body)
	}
}

// readBody reads the body of r into buf. What it allocates follows the bytes
// that have arrived, not the length that was announced.
func readBody(buf *[]byte, r *http.Request, limit int64) error {
	if r.ContentLength > limit {
		return errBodyTooLarge
	}
	b := *buf
	if r.ContentLength > int64(cap(b)) {
		b = slices.Grow(b, int(min(r.ContentLength, keepBuffer)))
	}
	for {
		if len(b) == cap(b) {
			b = slices.Grow(b, int(min(int64(len(b)), limit+1-int64(len(b)))))
		}
		n, err := r.Body.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		*buf = b
		switch {
		case int64(len(b)) > limit:
			return errBodyTooLarge
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}
