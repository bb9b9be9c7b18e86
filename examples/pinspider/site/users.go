package site

import (
	"time"

	"github.com/meseta/meseta/examples/pinspider/page"
)

// Paths are where the invented people's pages are.
func Paths() []string {
	var paths []string
	for _, user := range Users() {
		paths = append(paths, user.path)
	}
	return paths
}

// Users are the invented people, the most complete first.
func Users() []User {
	return []User{
		{
			path: "/ottoline/",
			Profile: page.Profile{
				Name: "Ottoline Farrow", Bio: "Prints small posters on a press older than her house.",
				Location: "Whitby, Yorkshire", Website: "https://ottoline.example/",
				Facebook: "https://facebook.example/ottoline.farrow", Twitter: "https://twitter.example/ottolinepress",
				Boards: "3", Pins: "1,204", Likes: "87", Followers: "2.1k", Following: "340",
			},
			Boards: []page.Board{
				{
					Title: "Wood type", FullName: "Ottoline Farrow", Link: "/ottoline/wood-type/", PinCount: "412",
					Cover: picture("A tray of wooden letters", "wood-type"),
					Thumbnails: []page.Image{
						picture("Capital R, chipped", "letter-r"),
						picture("Ampersand", "ampersand"),
						picture("Inked rollers", "rollers"),
					},
				},
				{
					Title: "Ships & harbours", FullName: "Ottoline Farrow", Link: "/ottoline/ships-harbours/", PinCount: "655",
					Cover:      picture("Two cobles at low tide", "cobles"),
					Thumbnails: []page.Image{picture("", "lighthouse"), picture("Nets, drying", "nets")},
				},
				{
					Title: `Shop fronts, "open"`, FullName: "Ottoline Farrow", Link: "/ottoline/shop-fronts/", PinCount: "137",
					Cover: picture("A green door", "green-door"),
				},
			},
		},
		{
			path: "/teodor/",
			Profile: page.Profile{
				Name: "Teodor Lindqvist-Okafor", Bio: "Bröd, surdeg och vedeldade ugnar.", Location: "Malmö",
				Boards: "1", Pins: "58", Followers: "19",
			},
			Boards: []page.Board{{
				Title: "Surdeg", FullName: "Teodor Lindqvist-Okafor", Link: "/teodor/surdeg/", PinCount: "58",
				Cover:      picture("Ett bröd i tvärsnitt", "loaf"),
				Thumbnails: []page.Image{picture("Degskrapa", "scraper")},
			}},
		},
		{
			path: "/no-boards/",
			Profile: page.Profile{
				Name: "Imre Castellane", Bio: "Only here to look.",
				Boards: "0", Pins: "0", Likes: "1,911", Followers: "2", Following: "604",
			},
		},
		{
			path:  "/slow/",
			delay: time.Second,
			Profile: page.Profile{
				Name: "Marisol Quennell", Location: "Somewhere with one bar of signal",
				Website: "https://marisol.example/garden", Boards: "1", Pins: "9",
			},
			Boards: []page.Board{{
				Title: "Moss", FullName: "Marisol Quennell", Link: "/slow/moss/", PinCount: "9",
				Thumbnails: []page.Image{picture("Moss on a wall", "moss")},
			}},
		},
		{path: "/mangled/", raw: mangled},
	}
}

func picture(alt, name string) page.Image {
	return page.Image{Alt: alt, Src: "/picture/" + name}
}

// mangled is a page whose transfer to the site's disk ended early: nothing in it is closed, nothing
// in it is complete, and it yields no values at all.
const mangled = `<html><head><title>Pins</title
<body <div class="UserProfileHeader"><h1 class="fixedHeader <p>>< &amp &#x;
<table><tr><li class=><div class="Boa`
