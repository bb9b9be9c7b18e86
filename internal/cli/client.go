package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	masterpb "github.com/meseta/meseta/api/mesos/v1/master"
	"github.com/meseta/meseta/internal/wire"
)

// What is read of one answer has bounds.
const (
	maxAnswer   = 1 << 30
	maxSentence = 16 << 10
)

// Client talks to a master.
type Client struct {
	Master string // host:port
	HTTP   *http.Client
}

// NewClient returns a client of the master at an address.
func NewClient(master string) *Client {
	return &Client{Master: master, HTTP: &http.Client{Timeout: time.Minute}}
}

// Call asks the master's operator API.
func (c *Client) Call(ctx context.Context, t masterpb.Call_Type) (*masterpb.Response, error) {
	body, err := wire.Protobuf.Marshal(&masterpb.Call{Type: t.Enum()})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.Master+"/api/v1", bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("master %q: expected host:port", c.Master)
	}
	request.Header.Set("Content-Type", wire.Protobuf.ContentType())
	request.Header.Set("Accept", wire.Protobuf.ContentType())
	answer, err := c.fetch(request, "master")
	if err != nil {
		return nil, err
	}
	response := new(masterpb.Response)
	if err := wire.Protobuf.Unmarshal(answer, response); err != nil {
		return nil, fmt.Errorf("master %s: answer to %s: %w", c.Master, t, err)
	}
	return response, nil
}

// fetch sends a request and returns the body of a good answer.
func (c *Client) fetch(request *http.Request, who string) ([]byte, error) {
	answer, err := c.HTTP.Do(request)
	if err != nil {
		return nil, unreachable(who, request.URL.Host, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, refusal(who, answer)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", who, request.URL.Host, err)
	}
	return body, nil
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

// unreachable says what can be done about a peer that does not answer.
func unreachable(who, host string, err error) error {
	if errors.Is(err, syscall.ECONNREFUSED) && who == "master" {
		return fmt.Errorf("no master answers at %s; start a cluster on this machine with: meseta dev, "+
			"or name another master with: --master HOST:PORT", host)
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
