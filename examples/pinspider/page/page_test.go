package page_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meseta/meseta/examples/pinspider/page"
)

func TestProfileHoldsEveryFieldOfThePage(t *testing.T) {
	got := page.ParseProfile([]byte(`
<div class="UserProfileHeader wide">
  <h1 class="fixedHeaderName"> Ada
     <b>Weaver</b> </h1>
  <p class="aboutText">Looms &amp; punch cards</p>
  <span class="locationWrapper"><em></em>Leeds</span>
  <a class="website" href="https://ada.example/?a=1&amp;b=2">site</a>
  <a class="facebook">no link</a><a class="facebook" href="/fb">fb</a>
  <a href="/tw" class="icon twitter"></a>
</div>
<div class="UserInfoBar"><ul>
  <li>12 Boards</li><li><b>1,204</b> Pins</li><li>
    7
    Likes</li><li>2.1k</li><li>340 Following</li><li>99 Others</li>
</ul></div>`))
	want := page.Profile{
		Name: "Ada Weaver", Bio: "Looms & punch cards", Location: "Leeds",
		Website: "https://ada.example/?a=1&b=2", Facebook: "/fb", Twitter: "/tw",
		Boards: "12", Pins: "1,204", Likes: "7", Followers: "2.1k", Following: "340",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("profile (-want +got):\n%s", diff)
	}
}

func TestBoardsHoldEveryFieldOfThePage(t *testing.T) {
	got := page.ParseBoards([]byte(`
<div class="Board">
  <a name="top"></a><a href="/ada/looms/">
    <div class="boardName"><span class="title">Looms</span> <span class="fullName">Ada Weaver</span></div>
    <span class="PinCount">1,024 pins</span>
  </a>
  <a href="/second/">second</a>
  <img class="boardCover" alt="A loom" src="/loom.jpg">
  <div class="boardThumbs"><img alt="one" src="/1.jpg"><p><img src="/2.jpg"></p></div>
  <img src="/not-a-thumbnail.jpg">
</div>
<div class="Board"><div class="boardName">no title</div></div>`))
	want := []page.Board{
		{
			Title: "Looms", FullName: "Ada Weaver", Link: "/ada/looms/", PinCount: "1,024",
			Cover:      page.Image{Alt: "A loom", Src: "/loom.jpg"},
			Thumbnails: []page.Image{{Alt: "one", Src: "/1.jpg"}, {Src: "/2.jpg"}},
		},
		{Thumbnails: []page.Image{}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("boards (-want +got):\n%s", diff)
	}
}

func TestMissingElementGivesAnEmptyValue(t *testing.T) {
	full := map[string]string{
		"name":     `<p class="fixedHeaderName">v</p>`,
		"bio":      `<p class="aboutText">v</p>`,
		"location": `<p class="locationWrapper">v</p>`,
		"website":  `<a class="website" href="v"></a>`,
		"facebook": `<a class="facebook" href="v"></a>`,
		"twitter":  `<a class="twitter" href="v"></a>`,
	}
	for missing := range full {
		t.Run(missing, func(t *testing.T) {
			var html strings.Builder
			html.WriteString(`<div class="UserProfileHeader">`)
			for field, element := range full {
				if field != missing {
					html.WriteString(element)
				}
			}
			p := page.ParseProfile([]byte(html.String()))
			got := map[string]string{
				"name": p.Name, "bio": p.Bio, "location": p.Location,
				"website": p.Website, "facebook": p.Facebook, "twitter": p.Twitter,
			}
			for field, value := range got {
				if want := map[bool]string{true: "", false: "v"}[field == missing]; value != want {
					t.Errorf("%s = %q, want %q", field, value, want)
				}
			}
		})
	}
}

func TestMalformedPageGivesEmptyValues(t *testing.T) {
	pages := map[string]string{
		"empty":               "",
		"not HTML":            "\x00\x7fELF\x02\x01\x01 \xff\xfe",
		"JSON":                `{"UserProfileHeader": {"fixedHeaderName": "x"}}`,
		"cut in a tag":        `<html><div class="UserProfileHeader`,
		"classes in text":     `UserProfileHeader fixedHeaderName .Board`,
		"header that is bare": `<div class="UserProfileHeader"><ul class="UserInfoBar"><li></li><li> </li></ul>`,
		"absurdly deep":       strings.Repeat("<div>", 5000) + `<div class="UserProfileHeader"><p class="fixedHeaderName">x</p></div>`,
	}
	for name, html := range pages {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(page.Profile{}, page.ParseProfile([]byte(html))); diff != "" {
				t.Errorf("profile (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]page.Board{}, page.ParseBoards([]byte(html))); diff != "" {
				t.Errorf("boards (-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`<div class="UserProfileHeader"><p class="fixedHeaderName">x</p></div><ul class="UserInfoBar"><li>1 a`))
	f.Add([]byte(`<div class="Board"><a href="x"><div class="boardThumbs"><img src=1>`))
	f.Fuzz(func(t *testing.T, html []byte) {
		page.ParseProfile(html)
		if page.ParseBoards(html) == nil {
			t.Error("boards are nil, want a list, be it empty")
		}
	})
}
