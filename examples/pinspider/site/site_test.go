package site_test

import (
	"context"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"github.com/meseta/meseta/examples/pinspider/page"
	"github.com/meseta/meseta/examples/pinspider/site"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func get(t *testing.T, handler http.Handler, path string) []byte {
	t.Helper()
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
	if answer.Code != http.StatusOK {
		t.Fatalf("GET %s: status %d, want 200", path, answer.Code)
	}
	return answer.Body.Bytes()
}

// checkPages compares every field that the parsers find on the users' pages.
func checkPages(t *testing.T, handler http.Handler, users []site.User) {
	t.Helper()
	for _, user := range users {
		html := get(t, handler, user.Path())
		if diff := cmp.Diff(user.Profile, page.ParseProfile(html)); diff != "" {
			t.Errorf("%s: profile (-want +got):\n%s\n%s", user.Path(), diff, html)
		}
		if diff := cmp.Diff(user.Boards, page.ParseBoards(html), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: boards (-want +got):\n%s\n%s", user.Path(), diff, html)
		}
	}
}

func TestPagesOfInventedUsersYieldTheirValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // for the slow one
		checkPages(t, site.Handler(), site.Users())
	})
}

func TestRandomPagesYieldTheirValues(t *testing.T) {
	for seed := range uint64(100) {
		users := site.Random(rand.New(rand.NewPCG(seed, 0)), 3)
		checkPages(t, site.Serve(users), users)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func TestRandomPagesAreOfAllKinds(t *testing.T) {
	kinds := map[string]int{}
	for _, user := range site.Random(rand.New(rand.NewPCG(1, 2)), 500) {
		if user.Profile.Name == "" {
			kinds["no name"]++
		}
		if user.Profile.Likes == "" && user.Profile.Followers != "" {
			kinds["a count missing before another"]++
		}
		if len(user.Boards) == 0 {
			kinds["no boards"]++
		}
		for _, board := range user.Boards {
			if board.Link == "" {
				kinds["board without link"]++
			}
			if board.Cover.Alt == "" && board.Cover.Src != "" {
				kinds["cover without alt"]++
			}
			if len(board.Thumbnails) > 1 {
				kinds["several thumbnails"]++
			}
		}
	}
	if len(kinds) != 6 {
		t.Errorf("kinds of pages seen: %v, want all 6", kinds)
	}
}

func TestSlowPageTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		get(t, site.Handler(), "/slow/")
		if took := time.Since(start); took != time.Second {
			t.Errorf("slow page took %v, want 1s", took)
		}
	})
}

func TestIndexListsEveryUser(t *testing.T) {
	index := string(get(t, site.Handler(), "/"))
	for _, user := range site.Users() {
		if !strings.Contains(index, `href="`+user.Path()+`"`) {
			t.Errorf("index has no link to %s", user.Path())
		}
	}
}

func TestUnknownPathIsNotFound(t *testing.T) {
	for _, path := range []string{"/nobody/", "/ottoline/more", "/favicon.ico"} {
		answer := httptest.NewRecorder()
		site.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
		if answer.Code != http.StatusNotFound {
			t.Errorf("GET %s: status %d, want 404", path, answer.Code)
		}
	}
}

func TestRunServesUntilItsContextEnds(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	listening := make(chan net.Addr, 1)
	done := make(chan error, 1)
	go func() { done <- site.Run(ctx, "127.0.0.1:0", func(addr net.Addr) { listening <- addr }) }()
	answer, err := http.Get("http://" + (<-listening).String() + "/no-boards/")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("status %d, want 200", answer.StatusCode)
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("Run = %v, want nil once its context has ended", err)
	}
}
