package wire

import (
	"net/http"
	"path"
	"strings"
)

// Router finds the handler of a request the way Mesos does, which is not that of net/http's ServeMux: the
// longest path wins that the request's path begins with, element by element, so that an operator's call may
// be posted to /api/v1/operator; a slash at the end, or one too many, makes no difference; a path and the
// same behind the name of the process are one ("/health", "/master/health"); nothing is ever redirected to
// a tidier path, which would lose a call's body; and no method is refused before a handler has seen it.
type Router struct {
	process  string
	handlers map[string]http.HandlerFunc
}

// NewRouter returns a router for a process of that name: "master", "slave(1)".
func NewRouter(process string) *Router {
	return &Router{process: "/" + process, handlers: make(map[string]http.HandlerFunc)}
}

// Handle adds a handler for a path and all below it that have none of their own.
func (rt *Router) Handle(path string, h http.HandlerFunc) { rt.handlers[path] = h }

// ServeHTTP hands a request on to its handler.
func (rt *Router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at := path.Clean("/" + r.URL.Path)
	if rest, ok := strings.CutPrefix(at, rt.process+"/"); ok {
		at = "/" + rest
	}
	for ; at != "/"; at = path.Dir(at) {
		if h := rt.handlers[at]; h != nil {
			h(w, r)
			return
		}
	}
	Answer(w, http.StatusNotFound, "404 Not Found.")
}
