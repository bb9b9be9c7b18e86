package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"google.golang.org/protobuf/proto"

	operatorpb "github.com/meseta/meseta/api/meseta/operator/v1"
	masterpb "github.com/meseta/meseta/api/mesos/v1/master"
	"github.com/meseta/meseta/internal/wire"
)

// What is read of one answer has bounds.
const (
	maxAnswer   = 1 << 30
	maxSentence = 16 << 10
)

// answerTime is how long an answer may take, however large the cluster is.
const answerTime = time.Minute

// Client talks to a master, and to the agents that it names.
type Client struct {
	Master    string // host:port
	HTTP      *http.Client
	UserAgent string // who calls, for the master's log
	codec     wire.Codec
	tracer    *Tracer // nil for none
}

// NewClient returns a client of the master at an address.
func NewClient(master string) *Client {
	return &Client{Master: master, HTTP: new(http.Client), UserAgent: "meseta", codec: wire.Protobuf}
}

// Trace has everything shown that the client sends and gets, in JSON where there is a choice.
func (c *Client) Trace(t *Tracer) {
	c.codec, c.tracer = wire.JSON, t
	c.HTTP.Transport = t.transport()
}

// Call asks the master's operator API what needs no details.
func (c *Client) Call(ctx context.Context, t masterpb.Call_Type) (*masterpb.Response, error) {
	return c.ask(ctx, &masterpb.Call{Type: t.Enum()})
}

// ask asks the master's operator API.
func (c *Client) ask(ctx context.Context, call *masterpb.Call) (*masterpb.Response, error) {
	response := new(masterpb.Response)
	return response, c.post(ctx, "/api/v1", call, response)
}

// order asks the master's own operator API.
func (c *Client) order(ctx context.Context, call *operatorpb.Call) (*operatorpb.Response, error) {
	response := new(operatorpb.Response)
	return response, c.post(ctx, "/meseta/v1", call, response)
}

// post sends a call to the master and reads the answer, if there is one.
func (c *Client) post(ctx context.Context, path string, call, response proto.Message) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	answer, err := c.open(ctx, path, call)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return &awayError{who: "master", host: c.Master, err: err}
	}
	if len(body) == 0 { // some calls have nothing to tell
		return nil
	}
	if err := c.codec.Unmarshal(body, response); err != nil {
		return fmt.Errorf("master %s: answer: %w", c.Master, err)
	}
	return nil
}

// open sends a call to the master and returns its answer, if that is a good one.
func (c *Client) open(ctx context.Context, path string, call proto.Message) (*http.Response, error) {
	body, err := c.codec.Marshal(call)
	if err != nil {
		return nil, err
	}
	if _, _, err := net.SplitHostPort(c.Master); err != nil {
		return nil, fmt.Errorf("master %q: expected HOST:PORT", c.Master)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.Master+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("master %q: expected HOST:PORT", c.Master)
	}
	request.Header.Set("Content-Type", c.codec.ContentType())
	request.Header.Set("Accept", c.codec.ContentType())
	request.Header.Set("User-Agent", c.UserAgent)
	answer, err := c.HTTP.Do(request)
	if err != nil {
		return nil, unreachable("master", request.URL.Host, err)
	}
	if answer.StatusCode != http.StatusOK {
		defer answer.Body.Close()
		return nil, refusal("master", answer)
	}
	return answer, nil
}

// refusal is an answer that says no, with its sentence.
func refusal(who string, answer *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxSentence))
	if err != nil {
		text = []byte(err.Error())
	}
	return &answerError{who: who, host: answer.Request.URL.Host, code: answer.StatusCode, text: strings.TrimSpace(string(text))}
}

// answerError is an answer other than 200.
type answerError struct {
	who, host string
	code      int
	text      string
}

func (e *answerError) Error() string {
	return fmt.Sprintf("%s %s: %s: %s", e.who, e.host, http.StatusText(e.code), e.text)
}

// saidNo tells whether an error is an answer with that status, and returns its sentence.
func saidNo(err error, code int) (text string, ok bool) {
	answer, ok := errors.AsType[*answerError](err)
	if !ok || answer.code != code {
		return "", false
	}
	return answer.text, true
}

// unreachable says what can be done about a peer that does not answer.
func unreachable(who, host string, err error) error {
	if errors.Is(err, syscall.ECONNREFUSED) && who == "master" {
		return fmt.Errorf("no master answers at %s; start a cluster on this machine with: meseta dev, "+
			"or name another master with: --master HOST:PORT", host)
	}
	if wrapped, ok := errors.AsType[*url.Error](err); ok { // the URL is of no interest
		err = wrapped.Err
	}
	return &awayError{who: who, host: host, err: err}
}

// awayError says that a peer could not be asked.
type awayError struct {
	who, host string
	err       error
}

func (e *awayError) Error() string { return fmt.Sprintf("%s %s: %v", e.who, e.host, e.err) }
func (e *awayError) Unwrap() error { return e.err }

// readFile reads a piece of a file in a sandbox, from the agent at address; nothing at its end. If what was asked
// for is gone it says up to where. The bytes come as they are: /files/read would wrap them in JSON, which knows
// only text.
func (c *Client) readFile(ctx context.Context, address, path string, offset, length int64) (piece []byte, gone int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	q := url.Values{"path": {path}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/files/download?"+q.Encode(), nil)
	if err != nil {
		return nil, 0, fmt.Errorf("agent %q: expected host:port", address)
	}
	request.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", offset, offset+length-1))
	answer, err := c.HTTP.Do(request)
	if err != nil {
		return nil, 0, unreachable("agent", request.URL.Host, err)
	}
	defer answer.Body.Close()
	if n, err := strconv.ParseInt(answer.Header.Get("Meseta-Gone"), 10, 64); err == nil && n > offset {
		return nil, n, nil
	}
	switch answer.StatusCode {
	case http.StatusOK: // this agent knows no ranges, or the file is empty
		if _, err := io.CopyN(io.Discard, answer.Body, offset); err != nil {
			return nil, 0, nil
		}
	case http.StatusPartialContent:
	case http.StatusRequestedRangeNotSatisfiable:
		return nil, 0, nil
	default:
		return nil, 0, refusal("agent", answer)
	}
	piece, err = io.ReadAll(io.LimitReader(answer.Body, length))
	if err != nil {
		return nil, 0, &awayError{who: "agent", host: request.URL.Host, err: err}
	}
	return piece, 0, nil
}
