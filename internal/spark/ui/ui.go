// Package ui is what the pages of Spark's daemons have in common: how they are served, how they look, and
// how their JSON is written. What is on them is the daemons' business.
package ui

import (
	"context"
	"encoding/json"
	"errors"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/meseta/meseta/internal/spark/deploy"
	"github.com/meseta/meseta/internal/wire"
)

// Serve serves pages until ctx is done.
func Serve(ctx context.Context, ln net.Listener, pages http.Handler, log *slog.Logger) error {
	server := wire.NewServer(pages, log)
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		server.Close()
	})
	err := server.Serve(ln)
	if stop() {
		return err
	}
	<-done
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Object is a JSON object.
type Object = map[string]any

// JSON writes an answer.
func JSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	e.Encode(v) // a client that is gone misses nothing
}

// Resources are custom resources in JSON, as Spark writes them.
func Resources(all map[string]deploy.Resource) Object {
	out := Object{}
	for name, r := range all {
		out[name] = Object{"name": r.Name, "addresses": append([]string{}, r.Addresses...)}
	}
	return out
}

// Template is a page that is parsed when it is first shown: the same binary is much that has no pages.
type Template func() *template.Template

// Page makes a template: a page with the title that the template "title" gives, and the body.
func Page(body string) Template {
	return sync.OnceValue(func() *template.Template {
		return template.Must(template.Must(template.New("page").Funcs(functions).Parse(layout)).Parse(body))
	})
}

// Write writes a page.
func Write(w http.ResponseWriter, page Template, v any, log *slog.Logger) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := page().Execute(w, v); err != nil {
		log.Debug("page not written", "err", err)
	}
}

var functions = template.FuncMap{
	"time": func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.Format("2006-01-02 15:04:05")
	},
}

const layout = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{{template "title" .}}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #222; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #ddd; vertical-align: top; }
th { font-weight: 600; } td.n, th.n { text-align: right; } .quiet { color: #777; }
pre { white-space: pre-wrap; } form { display: inline; }
</style>
</head>
<body>
<h1>{{template "title" .}}</h1>
{{template "body" .}}
</body>
</html>
`
