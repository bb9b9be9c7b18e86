// Package page reads the pages of a pin-board site: from HTML to a Profile or to Boards.
//
// It is the pure half of the example. It does no I/O, keeps nothing, and never fails: pages come from
// strangers, so an element that is missing, empty or mangled gives an empty value, and a page that
// is no page at all gives an empty Profile and no Boards. Whether a page could be fetched is the
// executors' business.
//
// Start reading at [ParseProfile].
package page

import (
	"bytes"
	"strings"

	"github.com/PuerkitoBio/goquery"
)

// Profile is what a user's page says about the user. Counts are text, because sites write "1,204"
// and "3.2k".
type Profile struct {
	Name      string `json:"name"`
	Bio       string `json:"bio"`
	Location  string `json:"location"`
	Website   string `json:"website"`
	Facebook  string `json:"facebook"`
	Twitter   string `json:"twitter"`
	Boards    string `json:"boards"`
	Pins      string `json:"pins"`
	Likes     string `json:"likes"`
	Followers string `json:"followers"`
	Following string `json:"following"`
}

// Board is one of a user's boards.
type Board struct {
	Title      string  `json:"title"`
	FullName   string  `json:"full_name"`
	Link       string  `json:"link"`
	PinCount   string  `json:"pin_count"`
	Cover      Image   `json:"cover"`
	Thumbnails []Image `json:"thumbnails"`
}

// Image is a picture: the text for those who cannot see it, and where it is.
type Image struct {
	Alt string `json:"alt"`
	Src string `json:"src"`
}

// ParseProfile reads the profile out of a user's page.
func ParseProfile(html []byte) Profile {
	doc := parse(html)
	header := doc.Find(".UserProfileHeader").First()
	p := Profile{
		Name:     text(header, ".fixedHeaderName"),
		Bio:      text(header, ".aboutText"),
		Location: text(header, ".locationWrapper"),
		Website:  attribute(header, ".website", "href"),
		Facebook: attribute(header, ".facebook", "href"),
		Twitter:  attribute(header, ".twitter", "href"),
	}
	counts := []*string{&p.Boards, &p.Pins, &p.Likes, &p.Followers, &p.Following}
	doc.Find(".UserInfoBar").First().Find("li").Each(func(i int, item *goquery.Selection) {
		if i < len(counts) {
			*counts[i] = firstWord(item.Text())
		}
	})
	return p
}

// ParseBoards reads the boards out of a user's page, in the order of the page. It returns an empty
// list, not nil, when there are none, so that the JSON is [] and not null.
func ParseBoards(html []byte) []Board {
	boards := []Board{}
	parse(html).Find(".Board").Each(func(_ int, board *goquery.Selection) {
		boards = append(boards, Board{
			Title:      text(board, ".boardName .title"),
			FullName:   text(board, ".boardName .fullName"),
			Link:       attribute(board, "a", "href"),
			PinCount:   firstWord(text(board, ".PinCount")),
			Cover:      image(board.Find(".boardCover").First()),
			Thumbnails: thumbnails(board),
		})
	})
	return boards
}

func thumbnails(board *goquery.Selection) []Image {
	images := []Image{}
	board.Find(".boardThumbs img").Each(func(_ int, img *goquery.Selection) {
		images = append(images, image(img))
	})
	return images
}

func image(s *goquery.Selection) Image {
	return Image{Alt: s.AttrOr("alt", ""), Src: s.AttrOr("src", "")}
}

// text is the text of the first match, with white space as a browser shows it.
func text(s *goquery.Selection, selector string) string {
	return strings.Join(strings.Fields(s.Find(selector).First().Text()), " ")
}

// attribute is the attribute of the first match that has it.
func attribute(s *goquery.Selection, selector, name string) string {
	return s.Find(selector+"["+name+"]").First().AttrOr(name, "")
}

func firstWord(s string) string {
	for word := range strings.FieldsSeq(s) {
		return word
	}
	return ""
}

// parse builds the document. The HTML parser repairs whatever it meets, as a browser does, and only
// refuses pages that are nested absurdly deep; such a page is taken for an empty one.
func parse(html []byte) *goquery.Document {
	doc, err := goquery.NewDocumentFromReader(bytes.NewReader(html))
	if err != nil {
		doc, _ = goquery.NewDocumentFromReader(strings.NewReader(""))
	}
	return doc
}
