package site

import (
	"html"
	"slices"
	"strings"

	"github.com/meseta/meseta/examples/pinspider/page"
)

func (a *author) writePage(u User) {
	a.put(oneOf(a, "<!DOCTYPE html><html><body>", "<html><head><title>.Board</title></head><body>", ""))
	a.wrapped(func() { a.writeHeader(u.Profile) })
	a.wrapped(func() { a.writeCounts(u.Profile) })
	for _, board := range u.Boards {
		a.wrapped(func() { a.writeBoard(board) })
	}
	a.put(oneOf(a, "</body></html>", "", "</body>\n"))
}

func (a *author) writeHeader(p page.Profile) {
	if (p == page.Profile{}) && a.chance(50) {
		return
	}
	a.open("div", "UserProfileHeader")
	a.shuffled(
		func() { a.writeText("fixedHeaderName", p.Name) },
		func() { a.writeText("aboutText", p.Bio) },
		func() { a.writeText("locationWrapper", p.Location) },
		func() { a.writeAnchor("website", p.Website) },
		func() { a.writeAnchor("facebook", p.Facebook) },
		func() { a.writeAnchor("twitter", p.Twitter) },
	)
	a.put("</div>")
}

// writeCounts writes every item, be it empty: only their order tells them apart.
func (a *author) writeCounts(p page.Profile) {
	a.open("ul", "UserInfoBar")
	for _, count := range []string{p.Boards, p.Pins, p.Likes, p.Followers, p.Following} {
		a.open("li", "")
		a.writeCount(count, "Things")
		a.put(oneOf(a, "</li>", "\n")) // HTML lets one leave out this end tag
	}
	a.put("</ul>")
}

func (a *author) writeBoard(b page.Board) {
	a.open("div", "Board")
	a.writeAnchor("", b.Link)
	a.shuffled(
		func() { a.writeBoardName(b) },
		func() {
			if b.PinCount != "" || a.chance(50) {
				a.open("span", "PinCount")
				a.writeCount(b.PinCount, "pins")
				a.put("</span>")
			}
		},
		func() {
			if (b.Cover != page.Image{}) {
				a.writeImage("boardCover", b.Cover)
			}
		},
		func() { a.writeThumbnails(b.Thumbnails) },
	)
	if b.Link != "" && a.chance(30) {
		a.writeAnchor("more", "/not/the/first/link")
	}
	a.put("</div>")
}

func (a *author) writeBoardName(b page.Board) {
	a.open("div", "boardName")
	a.shuffled(
		func() { a.writeText("title", b.Title) },
		func() { a.writeText("fullName", b.FullName) },
	)
	a.put("</div>")
}

func (a *author) writeThumbnails(images []page.Image) {
	if len(images) == 0 && a.chance(50) {
		return
	}
	a.open("div", "boardThumbs")
	for _, img := range images {
		a.wrapped(func() { a.writeImage("", img) })
	}
	a.put("</div>")
}

// writeText writes an element that holds text, its words apart in one way or another. An empty one
// may be left out.
func (a *author) writeText(class, text string) {
	if text == "" && a.chance(50) {
		return
	}
	tag := oneOf(a, "div", "span", "h1", "section")
	a.open(tag, class)
	for i, word := range strings.Fields(text) {
		if i > 0 {
			a.put(oneOf(a, " ", "\n", "\t ", " <!-- between --> ", "&#32;"))
		}
		escaped := html.EscapeString(word)
		a.put(oneOf(a, escaped, escaped, "<i>"+escaped+"</i>"))
	}
	a.put(oneOf(a, "", " ", "\n"), "</"+tag+">")
}

func (a *author) writeCount(count, of string) {
	if count == "" {
		return
	}
	a.put(oneOf(a, "", " ", "\n  "), oneOf(a, count, "<b>"+count+"</b>"), oneOf(a, " ", "\n", " <br>"), of)
}

func (a *author) writeAnchor(class, href string) {
	switch {
	case href != "":
		a.tag("a", "class", a.amongOthers(class), "href", href)
	case a.chance(50):
		a.tag("a", "class", a.amongOthers(class), "name", "anchor")
	default:
		return
	}
	a.put("link</a>")
}

// writeImage leaves out an attribute that is empty, or not.
func (a *author) writeImage(class string, img page.Image) {
	attributes := []string{"class", a.amongOthers(class)}
	if img.Alt != "" || a.chance(50) {
		attributes = append(attributes, "alt", img.Alt)
	}
	if img.Src != "" || a.chance(50) {
		attributes = append(attributes, "src", img.Src)
	}
	a.tag("img", attributes...)
}

// wrapped writes inside an element that means nothing, or after something that only looks like
// content.
func (a *author) wrapped(write func()) {
	switch a.rng.IntN(4) {
	case 0:
		a.open("div", "wrapper")
		write()
		a.put("</div>")
		return
	case 1:
		a.put(`<!-- <div class="Board"><a href="/commented/out">x</a></div> -->`)
	case 2:
		a.put(`<script>var s = "<div class='UserProfileHeader'>no</div>"</script>`)
	}
	write()
}

// shuffled writes the parts in any order.
func (a *author) shuffled(parts ...func()) {
	a.rng.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	for _, part := range parts {
		part()
	}
}

func (a *author) open(tag, class string) { a.tag(tag, "class", a.amongOthers(class)) }

// amongOthers adds classes that no reader looks for.
func (a *author) amongOthers(class string) string {
	classes := []string{class, oneOf(a, "", "wide", "Board-like"), oneOf(a, "", "boards")}
	a.rng.Shuffle(len(classes), func(i, j int) { classes[i], classes[j] = classes[j], classes[i] })
	return strings.Join(classes, " ")
}

// tag writes a start tag; attributes are names and values in turn.
func (a *author) tag(name string, attributes ...string) {
	a.put("<", name)
	pairs := slices.Collect(slices.Chunk(attributes, 2))
	a.rng.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
	for _, pair := range pairs {
		quote := oneOf(a, `"`, `'`)
		a.put(oneOf(a, " ", "\n"), pair[0], "=", quote, html.EscapeString(pair[1]), quote)
	}
	a.put(">")
}

func (a *author) put(parts ...string) {
	for _, part := range parts {
		a.html.WriteString(part)
	}
}
