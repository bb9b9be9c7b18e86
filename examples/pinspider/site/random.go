package site

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/meseta/meseta/examples/pinspider/page"
)

// Random invents n people out of rng, "/random-0/" and so on. Their Profile and Boards hold exactly
// what a reader of their pages must find. The pages say it in as many ways as HTML has: other tags,
// quotes and orders of attributes, classes among others, text split by white space and mark-up,
// wrappers, comments and scripts that look like content, elements that are empty or left out.
func Random(rng *rand.Rand, n int) []User {
	users := make([]User, n)
	for i := range users {
		a := author{rng: rng}
		user := User{path: fmt.Sprintf("/random-%d/", i), Profile: a.profile(), Boards: a.boards()}
		a.writePage(user)
		user.raw = a.html.String()
		users[i] = user
	}
	return users
}

// author invents values and writes them down.
type author struct {
	rng  *rand.Rand
	html strings.Builder
}

// chance is true in percent of the cases.
func (a *author) chance(percent int) bool { return a.rng.IntN(100) < percent }

func oneOf[T any](a *author, values ...T) T { return values[a.rng.IntN(len(values))] }

// maybe invents a value, or leaves it empty.
func (a *author) maybe(invent func() string) string {
	if a.chance(25) {
		return ""
	}
	return invent()
}

func (a *author) profile() page.Profile {
	return page.Profile{
		Name: a.maybe(a.words), Bio: a.maybe(a.words), Location: a.maybe(a.words),
		Website: a.maybe(a.link), Facebook: a.maybe(a.link), Twitter: a.maybe(a.link),
		Boards: a.maybe(a.count), Pins: a.maybe(a.count), Likes: a.maybe(a.count),
		Followers: a.maybe(a.count), Following: a.maybe(a.count),
	}
}

func (a *author) boards() []page.Board {
	boards := make([]page.Board, a.rng.IntN(6))
	for i := range boards {
		boards[i] = page.Board{
			Title: a.maybe(a.words), FullName: a.maybe(a.words), Link: a.maybe(a.link),
			PinCount: a.maybe(a.count), Cover: a.image(), Thumbnails: make([]page.Image, a.rng.IntN(5)),
		}
		for j := range boards[i].Thumbnails {
			boards[i].Thumbnails[j] = a.image()
		}
	}
	return boards
}

func (a *author) image() page.Image {
	return page.Image{Alt: a.maybe(a.words), Src: a.maybe(a.link)}
}

func (a *author) words() string {
	words := make([]string, 1+a.rng.IntN(8))
	for i := range words {
		words[i] = oneOf(a, "pin", "Ünïcödé", "板", "&", "<b>", `"quoted"`, "it's", "&amp;", "a<b", "🧷", "—", "x", "Board",
			fmt.Sprint(a.rng.IntN(1000)))
	}
	return strings.Join(words, " ")
}

func (a *author) link() string {
	return oneOf(a, "https://site.example/", "/", "//cdn.example/", "../") +
		fmt.Sprintf("%x", a.rng.Uint32()) + oneOf(a, "", "/", "?a=1&b=2", "#top", "?q=%20'x'", ".jpg", "/ä b")
}

func (a *author) count() string {
	return oneOf(a, "0", "7", "1,204", "3.2k", "1.1M", "99999999999", fmt.Sprint(a.rng.IntN(100000)))
}
