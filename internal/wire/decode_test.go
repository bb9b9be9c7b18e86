package wire

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
)

// decoding answers 202 with the codec for the answer in a header.
func decoding[Call proto.Message](limit int64, newCall func() Call) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if accept, ok := DecodeCall(w, r, newCall(), limit); ok {
			w.Header().Set("Decoded", accept.String())
			Accepted(w)
		}
	}
}

func schedulerCall() *schedulerpb.Call { return new(schedulerpb.Call) }
func executorCall() *executorpb.Call   { return new(executorpb.Call) }

// The answers that Mesos gave before it looked at what a call says.
func TestErrorAnswersAreThoseRecorded(t *testing.T) {
	const (
		revive    = `{"framework_id":{"value":"08009066-222e-4b7e-8f5f-262018015a2a-0000"},"type":"REVIVE"}`
		asJSON    = "Content-Type: application/json\r\nAccept: application/json\r\n"
		noJSON    = "Failed to parse body into JSON: syntax error at line 1 near: "
		mediaType = "Expecting 'Content-Type' of application/json or application/x-protobuf"
		method    = "405 Method Not Allowed. Expecting one of { 'POST' }, but received '%s'."
	)
	for _, test := range []struct {
		name, method, headers, body string
		status                      int
		length                      int
		text                        string
	}{
		{"malformed JSON", "POST", asJSON, `{"type":`, 400, 61, noJSON},
		{"malformed JSON of an executor", "POST", asJSON, `{`, 400, 61, noJSON},
		{"JSON that is not an object", "POST", asJSON, `[1,2]`, 400, 66, "Failed to convert JSON into Call protobuf: Expecting a JSON object"},
		{"empty body", "POST", asJSON, ``, 400, 61, noJSON},
		{"wrong JSON type", "POST", asJSON, `{"type":"SUBSCRIBE","subscribe":"x"}`, 400, 92,
			"Failed to convert JSON into Call protobuf: Not expecting a JSON string for field 'subscribe'"},
		{"missing fields", "POST", asJSON, `{"type":"SUBSCRIBE","subscribe":{"framework_info":{"roles":["*"]}}}`, 400, 128,
			"Failed to convert JSON into Call protobuf: Missing required fields: subscribe.framework_info.user, subscribe.framework_info.name"},
		{"no Content-Type", "POST", "Accept: application/json\r\n", revive, 400, 38, "Expecting 'Content-Type' to be present"},
		{"unsupported Content-Type", "POST", "Content-Type: text/plain\r\n", revive, 415, 70, mediaType},
		{"Content-Type with a charset", "POST", "Content-Type: application/json; charset=utf-8\r\n", revive, 415, 70, mediaType},
		{"protobuf with a JSON body", "POST", "Content-Type: application/x-protobuf\r\nAccept: application/json\r\n", revive, 400, 39,
			"Failed to parse body into Call protobuf"},
		{"GET", "GET", "Accept: application/json\r\n", "", 405, 72, fmt.Sprintf(method, "GET")},
		{"PUT", "PUT", asJSON, revive, 405, 72, fmt.Sprintf(method, "PUT")},
		{"DELETE", "DELETE", asJSON, "", 405, 75, fmt.Sprintf(method, "DELETE")},
		{"Accept that cannot be served", "POST", "Content-Type: application/json\r\nAccept: text/html\r\n", revive, 202, 0, ""},
		{"unknown members", "POST", asJSON, `{"type":"REVIVE","zzz":1}`, 202, 0, ""},
		{"unknown call type", "POST", asJSON, `{"type":"NO_SUCH"}`, 202, 0, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			for kind, handler := range map[string]http.HandlerFunc{
				"scheduler": decoding(1<<10, schedulerCall),
				"executor":  decoding(1<<10, executorCall),
			} {
				if kind == "executor" && (test.status == 202 || strings.Contains(test.text, "framework_info")) {
					continue // not the fields of that call
				}
				conn := dialRaw(t, server(t, handler))
				conn.send(fmt.Sprintf("%s /api/v1/x HTTP/1.1\r\nHost: h\r\n%sContent-Length: %d\r\n\r\n%s",
					test.method, test.headers, len(test.body), test.body))
				resp := conn.response()
				if resp.StatusCode != test.status || resp.text != test.text {
					t.Fatalf("%s: %d %q, expected %d %q", kind, resp.StatusCode, resp.text, test.status, test.text)
				}
				want := http.Header{"Content-Length": {strconv.Itoa(test.length)}, "Date": resp.Header["Date"]}
				switch test.status {
				case 405:
					want["Allow"] = []string{"POST"}
					fallthrough
				case 400, 415:
					want["Content-Type"] = []string{"text/plain; charset=utf-8"}
				case 202:
					want["Decoded"] = resp.Header["Decoded"]
				}
				if got := fmt.Sprint(resp.Header); got != fmt.Sprint(want) || want["Date"] == nil {
					t.Errorf("%s: headers %v, expected %v", kind, got, want)
				}
				// The connection is good for another request.
				conn.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
				if resp := conn.response(); resp.StatusCode != 405 {
					t.Errorf("%s: next request: %d, expected 405", kind, resp.StatusCode)
				}
			}
		})
	}
}

// response is a whole answer.
type response struct {
	*http.Response
	text string
}

func (c rawConn) response() response {
	c.t.Helper()
	resp, err := http.ReadResponse(c.in, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return response{resp, string(body)}
}

func TestAcceptedCallHasTheRecordedAnswer(t *testing.T) {
	conn := dialRaw(t, server(t, func(w http.ResponseWriter, r *http.Request) { Accepted(w) }))
	conn.send("POST / HTTP/1.1\r\nHost: h\r\n\r\n")
	conn.expect("HTTP/1.1 202 Accepted\r\nDate: ")
	if head := conn.head(); !strings.HasSuffix(head, " GMT\r\nContent-Length: 0\r\n\r\n") {
		t.Errorf("head ends with %q", head)
	}
}

func TestChunkedRequestBodyIsAccepted(t *testing.T) {
	conn := dialRaw(t, server(t, decoding(1<<10, schedulerCall)))
	conn.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" +
		"9\r\n{\"type\":\"\r\n8\r\nREVIVE\"}\r\n0\r\n\r\n")
	if resp := conn.response(); resp.StatusCode != 202 {
		t.Errorf("%d %s, expected 202", resp.StatusCode, resp.text)
	}
}

func TestEncodedRequestBodyIsRefused(t *testing.T) {
	conn := dialRaw(t, server(t, decoding(1<<10, schedulerCall)))
	conn.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}")
	if resp := conn.response(); resp.StatusCode != 415 || !strings.Contains(resp.text, "gzip") {
		t.Errorf("%d %s, expected 415 with the encoding", resp.StatusCode, resp.text)
	}
}

func TestBodyIsBounded(t *testing.T) {
	const limit = 10000
	addr := server(t, decoding(limit, schedulerCall))
	request := func(size int, chunked bool) int {
		body := `{"zzz":"` + strings.Repeat("x", size-len(`{"zzz":""}`)) + `"}`
		reader := io.Reader(strings.NewReader(body))
		if chunked {
			reader = io.MultiReader(reader)
		}
		req, _ := http.NewRequestWithContext(t.Context(), "POST", "http://"+addr, reader)
		req.Header.Set("Content-Type", "application/json")
		req.Close = true
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		if resp.StatusCode == 413 && string(text) != "Expecting a body of at most 10000 bytes" {
			t.Errorf("413 says %q", text)
		}
		return resp.StatusCode
	}
	for _, chunked := range []bool{false, true} {
		if got := request(limit, chunked); got != 202 {
			t.Errorf("body of %d bytes (chunked %t): %d, expected 202", limit, chunked, got)
		}
		if got := request(limit+1, chunked); got != 413 {
			t.Errorf("body of %d bytes (chunked %t): %d, expected 413", limit+1, chunked, got)
		}
	}
}

func TestBrokenBodyIsAnswered(t *testing.T) {
	conn := dialRaw(t, server(t, decoding(1<<10, schedulerCall)))
	conn.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
	if resp := conn.response(); resp.StatusCode != 400 || !strings.HasPrefix(resp.text, "Failed to read body: ") {
		t.Errorf("%d %s, expected 400 with the cause", resp.StatusCode, resp.text)
	}
}

// A Content-Length is only a promise.
func TestAnnouncedBodyAllocatesNothing(t *testing.T) {
	r := httptest.NewRequest("POST", "/", strings.NewReader("{}"))
	r.ContentLength = 1 << 40
	var buf []byte
	if err := readBody(&buf, r, 1<<50); err != nil {
		t.Fatal(err)
	}
	if string(buf) != "{}" || cap(buf) > 2*keepBuffer {
		t.Errorf("read %q into %d bytes of memory", buf, cap(buf))
	}
}

func TestRedirectToLeaderKeepsThePath(t *testing.T) {
	w := httptest.NewRecorder()
	RedirectToLeader(w, httptest.NewRequest("POST", "/api/v1/scheduler?x=1", nil), "10.0.0.2:5050")
	if got := w.Header().Get("Location"); w.Code != 307 || got != "//10.0.0.2:5050/api/v1/scheduler?x=1" {
		t.Errorf("%d to %q", w.Code, got)
	}
}

func TestRespond(t *testing.T) {
	for _, test := range []struct {
		accept      Codec
		message     proto.Message
		status      int
		contentType string
	}{
		{JSON, acknowledgeCall(), 200, "application/json"},
		{Protobuf, acknowledgeCall(), 200, "application/x-protobuf"},
		{0, acknowledgeCall(), 406, "text/plain; charset=utf-8"},
		{JSON, &schedulerpb.Call{Subscribe: &schedulerpb.Call_Subscribe{}}, 500, "text/plain; charset=utf-8"},
	} {
		w := httptest.NewRecorder()
		Respond(w, test.accept, test.message)
		h := w.Header()
		if w.Code != test.status || h.Get("Content-Type") != test.contentType || h.Get("Content-Length") != strconv.Itoa(w.Body.Len()) {
			t.Errorf("%v: %d %v %q, expected %d %s", test.accept, w.Code, h, w.Body, test.status, test.contentType)
		}
	}
}

func FuzzDecodeCall(f *testing.F) {
	for _, call := range []proto.Message{subscribeCall(), acknowledgeCall()} {
		for _, codec := range []Codec{JSON, Protobuf} {
			body, _ := codec.Marshal(call)
			f.Add(codec.ContentType(), "application/json", body)
		}
	}
	f.Add("text/plain", "", []byte("{"))
	f.Add("application/json", "*/*;q=0,,;", []byte(`{"type":`))
	f.Fuzz(func(t *testing.T, contentType, accept string, body []byte) {
		r := httptest.NewRequest("POST", "/", bytes.NewReader(body))
		r.Header = http.Header{"Content-Type": {contentType}, "Accept": {accept}}
		w := httptest.NewRecorder()
		call := new(schedulerpb.Call)
		codec, ok := DecodeCall(w, r, call, 1<<10)
		if answered := w.Body.Len() > 0; answered == ok {
			t.Errorf("ok is %t, answer %q", ok, w.Body)
		}
		if !ok {
			if w.Code < 400 || w.Code >= 500 {
				t.Errorf("refused with %d %q, expected 4xx", w.Code, w.Body)
			}
			return
		}
		if codec > Protobuf {
			t.Errorf("Accept %q came to %v", accept, codec)
		}
		if _, err := Protobuf.Marshal(call); err != nil {
			t.Errorf("decoded into a call that cannot be encoded: %v", err)
		}
	})
}
