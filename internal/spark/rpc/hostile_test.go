package rpc

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"io"
	"log/slog"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/meseta/meseta/internal/spark/endpoint"
	"github.com/meseta/meseta/internal/spark/serial"
)

// ask is a question of Spark 4.0: whether there is an endpoint "Master".
const askForMaster = "00000000000000bd" + "03" + "0000000000000001" + "000000a8" +
	"01" + "0008" + "31302e302e302e32" + "00009c41" +
	"01" + "0008" + "31302e302e302e31" + "00001ba5" +
	"0011" + "656e64706f696e742d7665726966696572" +
	"aced0005" + "73" + "72" + "003d" + "6f72672e6170616368652e737061726b2e7270632e6e657474792e527063456e64706f696e745665726966696572" +
	"24436865636b4578697374656e6365" + "4aa51e9ee4c19ac4" + "02" + "0001" + "4c" + "0004" + "6e616d65" + "74" + "0012" +
	"4c6a6176612f6c616e672f537472696e673b" + "78" + "70" + "74" + "0006" + "4d6173746572"

const answerTrue = "0000000000000044" + "04" + "0000000000000001" + "0000002f" +
	"aced0005" + "73" + "72" + "0011" + "6a6176612e6c616e672e426f6f6c65616e" + "cd207280d59cfaee" + "02" + "0001" + "5a" + "0005" + "76616c7565" + "78" + "70" + "01"

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// say writes bytes to a listener and gives all that comes back until it closes.
func say(t *testing.T, to endpoint.Address, b []byte, answered int) []byte {
	t.Helper()
	nc, err := net.Dial("tcp", to.HostPort())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(patience))
	if _, err := nc.Write(b); err != nil {
		t.Fatal(err)
	}
	if answered > 0 {
		got := make([]byte, answered)
		if _, err := io.ReadFull(nc, got); err != nil {
			t.Fatal(err)
		}
		return got
	}
	got, err := io.ReadAll(nc)
	if ne, ok := err.(net.Error); ok && ne.Timeout() {
		t.Errorf("the connection stays open")
	}
	return got
}

func TestQuestionAndAnswerByteForByte(t *testing.T) {
	e, _, _ := listening(t, Config{})
	e.Register("Master", newInbox())
	if got := say(t, e.Address(), unhex(t, askForMaster), len(answerTrue)/2); hex.EncodeToString(got) != answerTrue {
		t.Errorf("answer is %x", got)
	}
}

func TestHostileInputCostsTheConnectionAndOneLine(t *testing.T) {
	question := unhex(t, askForMaster)
	deep := bytes.Repeat(unhex(t, "7571007e000000000001"), 10_000)
	deepStream := append(unhex(t, "aced0005"+"75"+"720002"+"5b4c"+"0000000000000000"+"020000"+"7870"+"00000001"), deep...)
	oneWay := func(content []byte) []byte {
		body, err := envelope{name: "Box", content: content}.encode()
		if err != nil {
			t.Fatal(err)
		}
		return appendFrame(nil, frame{kind: kindOneWay, body: body})
	}
	for name, b := range map[string][]byte{
		"HTTP":              []byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
		"gigabytes":         unhex(t, "0000000040000000"+"03"),
		"exabytes":          unhex(t, "7fffffffffffffff"+"03"),
		"negative":          unhex(t, "ffffffffffffffff"+"03"),
		"nothing":           unhex(t, "0000000000000008"),
		"unknown kind":      unhex(t, "0000000000000009"+"0b"),
		"no envelope":       unhex(t, "000000000000000d"+"09"+"00000000"),
		"broken envelope":   unhex(t, "000000000000000f"+"09"+"00000000"+"01ff"),
		"no stream":         oneWay([]byte("text")),
		"deep graph":        oneWay(deepStream),
		"answer to nothing": unhex(t, "0000000000000015"+"07"+"0000000461626364"+"00000001"),
		"truncated ask":     append(append(unhex(t, "00000000000000bc"), question[8:]...), question[:len(question)-1]...),
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			e, _, stop := listening(t, Config{Log: slog.New(slog.NewTextHandler(&log, nil))})
			say(t, e.Address(), b, 0)
			stop()
			if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), "ended by an error") {
				t.Errorf("%d lines in the log:\n%s", n, log.String())
			}
		})
	}
}

func TestPeersMayBeSilentButNotInTheMiddleOfAFrame(t *testing.T) {
	e, _, _ := listening(t, Config{IdleTimeout: 50 * time.Millisecond})
	start := time.Now()
	say(t, e.Address(), unhex(t, askForMaster)[:20], 0)
	if waited := time.Since(start); waited < 40*time.Millisecond {
		t.Errorf("half a frame is given up after %v", waited)
	}
}

func TestWhoProvesNothingIsSentAway(t *testing.T) {
	e, _, _ := listening(t, Config{Secret: "s", AuthTimeout: 50 * time.Millisecond})
	say(t, e.Address(), nil, 0)
}

func TestPeerThatWantsEncryptionIsTold(t *testing.T) {
	e, _, _ := listening(t, Config{Secret: "s"})
	got := say(t, e.Address(), appendFrame(nil, frame{kind: kindRequest, id: 5, body: []byte{tagAES, 1, 2, 3}}), 30)
	if got[8] != kindFailure {
		t.Errorf("answer is of kind %d, expected a failure, after which the peer goes on with SASL", got[8])
	}
}

func TestFramesAreReadAsTheyAreWritten(t *testing.T) {
	for _, f := range []frame{
		{kind: kindRequest, id: -5, body: []byte("body")},
		{kind: kindResponse, id: 1 << 62, body: []byte{}},
		{kind: kindFailure, id: 7, text: "why é"},
		{kind: kindOneWay, body: []byte{0}},
		{kind: kindStreamRequest, text: "/jars/x"},
		{kind: kindStreamResponse, text: "/jars/x", size: 1 << 40},
		{kind: kindStreamFailure, text: "/jars/x", err: "no"},
		{kind: kindChunkFetchRequest, stream: 3, chunk: 4},
		{kind: kindChunkFetchFailure, stream: 3, chunk: 4, err: "no"},
	} {
		got, err := readFrame(bufio.NewReader(bytes.NewReader(appendFrame(nil, f))), 1000)
		if err != nil || !reflect.DeepEqual(got, f) {
			t.Errorf("%+v is read as %+v, %v", f, got, err)
		}
	}
}

func FuzzFrame(f *testing.F) {
	f.Add(unhex(f, askForMaster))
	f.Add(unhex(f, answerTrue))
	f.Fuzz(func(t *testing.T, b []byte) {
		fr, err := readFrame(bufio.NewReader(bytes.NewReader(b)), 1<<16)
		if err != nil {
			return
		}
		again, err := readFrame(bufio.NewReader(bytes.NewReader(appendFrame(nil, fr))), 1<<17)
		if err != nil || !reflect.DeepEqual(fr, again) {
			t.Fatalf("%+v became %+v, %v", fr, again, err)
		}
		env, err := parseEnvelope(fr.body)
		if err != nil {
			return
		}
		if _, err := env.encode(); err != nil {
			t.Fatalf("%+v cannot be written: %v", env, err)
		}
		serial.DecodeOne(env.content, serial.Limits{})
	})
}

func FuzzSASL(f *testing.F) {
	f.Add(`realm="default",nonce="x",qop="auth",charset=utf-8,algorithm=md5-sess`)
	f.Add("rspauth=00")
	f.Fuzz(func(t *testing.T, token string) {
		client, server := saslClient{secret: "s"}, saslServer{secret: "s", nonce: "n"}
		if _, done, _ := server.step([]byte(token)); done {
			t.Fatal("proved without the secret")
		}
		if answer, done, err := client.step([]byte(token)); done || err == nil && len(answer) == 0 {
			t.Fatal("done after one step")
		}
		parseToken([]byte(token))
	})
}
