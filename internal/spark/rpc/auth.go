package rpc

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"time"
)

// With spark.authenticate, the first requests on a connection are not messages but tokens of SASL, from
// whoever dialled; the answers are tokens too. A token is
//
//	tag     byte EA
//	app     int32 length and text: who wants to be known, always the same here
//	token   int32 length, which nobody reads, and the bytes to the end
//
// The other kind of token, with the tag FB, begins Spark's own key exchange, after which everything is
// encrypted. We fail it; a peer whose spark.network.crypto.saslFallback is on, as it is by default, goes on
// with SASL.
const (
	tagSASL  = 0xEA
	tagAES   = 0xFB
	saslApp  = saslUser
	authStep = 4 // tokens from one side, at most; SASL needs two
)

// maxAuthFrame bounds frames from peers that have not proved anything.
const maxAuthFrame = 64 << 10

func appendToken(b, token []byte) []byte {
	b = appendText(append(b, tagSASL), saslApp)
	b = binary.BigEndian.AppendUint32(b, uint32(len(token)))
	return append(b, token...)
}

func parseToken(b []byte) ([]byte, error) {
	h := header{b: b}
	h.u8()
	h.text()
	h.i32()
	return h.b, h.err
}

// serverAuth is what an accepted connection still has to prove.
type serverAuth struct {
	sasl  saslServer
	steps int
}

func newServerAuth(secret string) *serverAuth {
	return &serverAuth{sasl: saslServer{secret: secret}}
}

var (
	errNotAuthenticated = errors.New("the peer sent a message before it proved the secret (is spark.authenticate on there?)")
	errCrypto           = errors.New("encryption (spark.network.crypto.enabled) is not supported here: leave spark.network.crypto.saslFallback on, or turn both off")
)

// authenticate handles a frame of a peer that has to prove the secret.
func (c *conn) authenticate(f frame) error {
	if f.kind != kindRequest || len(f.body) == 0 {
		return errNotAuthenticated
	}
	fail := func(err error) error {
		return c.answer(frame{kind: kindFailure, id: f.id, text: "java.lang.IllegalArgumentException: " + err.Error()})
	}
	c.auth.steps++
	switch {
	case c.auth.steps > authStep:
		return fmt.Errorf("the peer needs more than %d steps to prove the secret", authStep)
	case f.body[0] == tagAES:
		return fail(errCrypto)
	case f.body[0] != tagSASL:
		return errors.Join(errNotAuthenticated, fail(errNotAuthenticated))
	}
	token, err := parseToken(f.body)
	if err != nil {
		return err
	}
	answer, done, err := c.auth.sasl.step(token)
	if err != nil {
		return errors.Join(err, fail(err))
	}
	if done {
		c.auth = nil
		c.env.connected(c)
	}
	return c.answer(frame{kind: kindResponse, id: f.id, body: answer})
}

// authenticateTo proves the secret to whom we dialled, before anything else is sent.
func (e *Env) authenticateTo(nc net.Conn, in *bufio.Reader) error {
	if err := nc.SetDeadline(time.Now().Add(e.cfg.AuthTimeout)); err != nil {
		return err
	}
	client := saslClient{secret: e.cfg.Secret}
	var token []byte
	for id := int64(-1); id >= -authStep; id-- {
		request := frame{kind: kindRequest, id: id, body: appendToken(nil, token)}
		if _, err := nc.Write(appendFrame(nil, request)); err != nil {
			return err
		}
		f, err := readFrame(in, maxAuthFrame)
		switch {
		case err != nil:
			return err
		case f.kind == kindFailure:
			return &RemoteError{Message: f.text}
		case f.kind != kindResponse || f.id != id:
			return fmt.Errorf("frame of kind %d in place of a token", f.kind)
		}
		var done bool
		if token, done, err = client.step(f.body); err != nil {
			return err
		}
		if done {
			return nc.SetDeadline(time.Time{})
		}
	}
	return fmt.Errorf("more than %d steps to prove the secret", authStep)
}
