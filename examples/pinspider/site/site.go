// Package site is a pin-board site to crawl: a handful of invented people, of different
// completeness, and as many random ones as a test wants.
//
// One of the people has no boards, one has a mangled page and one is slow to answer, because that is
// what a crawler meets. [Handler] serves the invented people, [Random] makes others together with
// the values that their pages must yield; [Run] is a whole server.
package site

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/meseta/meseta/examples/pinspider/page"
)

// User is one person of the site.
type User struct {
	Profile page.Profile
	Boards  []page.Board

	path  string
	delay time.Duration // how long the page takes
	raw   string        // served in place of the rendered page
}

// Path is where the user's page is, "/ada/".
func (u User) Path() string { return u.path }

//go:embed user.html
var userHTML string

var (
	userPage  = template.Must(template.New("user").Parse(userHTML))
	indexPage = template.Must(template.New("index").Parse(
		`<!DOCTYPE html><title>Pins</title><h1>People with pins</h1><ul>
{{range .}}<li><a href="{{.Path}}">{{.Path}}</a></li>
{{end}}</ul>
`))
)

// Handler serves the invented people, each at its path, and a list of them at "/".
func Handler() http.Handler { return Serve(Users()) }

// Serve serves the given people, each at its path, and a list of them at "/".
func Serve(users []User) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		writeHTML(w, func(w io.Writer) error { return indexPage.Execute(w, users) })
	})
	mux.HandleFunc("GET /picture/{name}", servePicture)
	for _, user := range users {
		mux.HandleFunc("GET "+user.path+"{$}", user.serve)
	}
	return mux
}

func (u User) serve(w http.ResponseWriter, r *http.Request) {
	select {
	case <-time.After(u.delay):
	case <-r.Context().Done():
		return
	}
	writeHTML(w, u.write)
}

func (u User) write(w io.Writer) error {
	if u.raw != "" {
		_, err := io.WriteString(w, u.raw)
		return err
	}
	return userPage.Execute(w, u)
}

// writeHTML ignores the error of a write: it means that the reader has gone.
func writeHTML(w http.ResponseWriter, write func(io.Writer) error) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = write(w)
}

// servePicture draws a coloured square, another colour for each name.
func servePicture(w http.ResponseWriter, r *http.Request) {
	hue := 0
	for _, char := range r.PathValue("name") {
		hue = (hue*31 + int(char)) % 360
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="60" height="60">`+
		`<rect width="60" height="60" fill="hsl(%d 60%% 70%%)"/></svg>`, hue)
}

// Run serves the invented people on addr until ctx ends. Once it listens it calls ready, so that whoever
// asked for port 0 learns which one it is.
func Run(ctx context.Context, addr string, ready func(listening net.Addr)) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("sample site: %w", err)
	}
	ready(listener.Addr())
	server := &http.Server{Handler: Handler(), ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("sample site: %w", err)
	}
	return nil
}
