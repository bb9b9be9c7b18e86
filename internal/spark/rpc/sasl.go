package rpc

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// SASL's DIGEST-MD5 (RFC 2831) in the one form that Spark uses: algorithm md5-sess, realm "default", a
// fixed user, no encryption of what follows (qop "auth"). Both sides prove that they know the secret;
// neither sends it.
const (
	saslRealm  = "default"
	saslUser   = "sparkSaslUser"
	saslURI    = "null/default" // Spark names no protocol, and Java writes that as null
	saslQOP    = "auth"
	saslNonceN = "00000001"
)

// digest computes what either side proves: verb is AUTHENTICATE in the client's proof and empty in the
// server's. User and password are the Base64 of what they are, because Spark hands them over so.
func digest(secret, realm, nonce, cnonce, uri, verb string) string {
	sum := func(s string) []byte { h := md5.Sum([]byte(s)); return h[:] }
	user := base64.StdEncoding.EncodeToString([]byte(saslUser))
	password := base64.StdEncoding.EncodeToString([]byte(secret))
	a1 := string(sum(user+":"+realm+":"+password)) + ":" + nonce + ":" + cnonce
	a2 := verb + ":" + uri
	return hex.EncodeToString(sum(strings.Join([]string{
		hex.EncodeToString(sum(a1)), nonce, saslNonceN, cnonce, saslQOP, hex.EncodeToString(sum(a2)),
	}, ":")))
}

func newNonce() string {
	return base64.StdEncoding.EncodeToString([]byte(rand.Text()))
}

// directives reads key=value,key="value",… as challenges and responses are written.
func directives(s string) (map[string]string, error) {
	all := make(map[string]string)
	for s != "" {
		key, rest, ok := strings.Cut(s, "=")
		if !ok {
			return nil, fmt.Errorf("SASL: %q is not key=value", s)
		}
		key = strings.ToLower(strings.TrimSpace(key))
		value, rest, err := directive(rest)
		if err != nil {
			return nil, err
		}
		if _, twice := all[key]; twice {
			return nil, fmt.Errorf("SASL: directive %q is there twice", key)
		}
		all[key] = value
		s = strings.TrimLeft(rest, ", ")
	}
	return all, nil
}

// directive reads a value, quoted or not, and gives what follows it.
func directive(s string) (value, rest string, err error) {
	if !strings.HasPrefix(s, `"`) {
		value, rest, _ = strings.Cut(s, ",")
		return strings.TrimSpace(value), rest, nil
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], nil
		case '\\':
			if i++; i == len(s) {
				return "", "", errors.New("SASL: backslash at the end")
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", errors.New("SASL: a quote is not closed")
}

// saslServer asks a client for its proof.
type saslServer struct {
	secret string
	nonce  string
}

// step answers the client's token; done means that it has proved the secret.
func (s *saslServer) step(token []byte) (answer []byte, done bool, err error) {
	if s.nonce == "" {
		s.nonce = newNonce()
		return fmt.Appendf(nil, `realm="%s",nonce="%s",qop="%s",charset=utf-8,algorithm=md5-sess`, saslRealm, s.nonce, saslQOP), false, nil
	}
	d, err := directives(string(token))
	if err != nil {
		return nil, false, err
	}
	if qop, ok := d["qop"]; ok && qop != saslQOP {
		return nil, false, fmt.Errorf("SASL: client wants protection %q, which is not supported: unset spark.authenticate.enableSaslEncryption", qop)
	}
	want := digest(s.secret, d["realm"], s.nonce, d["cnonce"], d["digest-uri"], "AUTHENTICATE")
	user := base64.StdEncoding.EncodeToString([]byte(saslUser))
	if d["nonce"] != s.nonce || d["nc"] != saslNonceN || d["username"] != user || d["realm"] != saslRealm ||
		subtle.ConstantTimeCompare([]byte(d["response"]), []byte(want)) != 1 {
		return nil, false, errors.New("SASL: the client does not know our secret (spark.authenticate.secret)")
	}
	return []byte("rspauth=" + digest(s.secret, d["realm"], s.nonce, d["cnonce"], d["digest-uri"], "")), true, nil
}

// saslClient proves the secret to a server, and has it proved in return.
type saslClient struct {
	secret string
	expect string // the server's proof
}

// step answers the server's token; done means that the server has proved the secret too.
func (c *saslClient) step(token []byte) (answer []byte, done bool, err error) {
	d, err := directives(string(token))
	if err != nil {
		return nil, false, err
	}
	if c.expect != "" {
		if subtle.ConstantTimeCompare([]byte(d["rspauth"]), []byte(c.expect)) != 1 {
			return nil, false, errors.New("SASL: the server does not know our secret (spark.authenticate.secret)")
		}
		return nil, true, nil
	}
	offered := strings.Split(strings.ReplaceAll(d["qop"], " ", ""), ",")
	if d["qop"] != "" && !slices.Contains(offered, saslQOP) {
		return nil, false, fmt.Errorf("SASL: server wants protection %q, which is not supported: set spark.network.sasl.serverAlwaysEncrypt=false there", d["qop"])
	}
	if d["nonce"] == "" {
		return nil, false, errors.New("SASL: server sent no nonce")
	}
	realm, cnonce := d["realm"], newNonce()
	c.expect = digest(c.secret, realm, d["nonce"], cnonce, saslURI, "")
	return fmt.Appendf(nil, `charset=utf-8,username="%s",realm="%s",nonce="%s",nc=%s,cnonce="%s",digest-uri="%s",maxbuf=65536,response=%s,qop=%s`,
		base64.StdEncoding.EncodeToString([]byte(saslUser)), quote(realm), quote(d["nonce"]), saslNonceN, cnonce, saslURI,
		digest(c.secret, realm, d["nonce"], cnonce, saslURI, "AUTHENTICATE"), saslQOP), false, nil
}

func quote(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s)
}
