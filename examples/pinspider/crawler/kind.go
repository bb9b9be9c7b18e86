package crawler

import (
	"encoding/json"
	"fmt"

	"github.com/meseta/meseta/examples/pinspider/page"
)

// Kind is what a crawler looks for on a page. There is one executor for each kind.
type Kind string

// The kinds.
const (
	Profile Kind = "profile" // who the user is
	Board   Kind = "board"   // the user's boards
)

// ParseKind makes a Kind of its name.
func ParseKind(name string) (Kind, error) {
	switch kind := Kind(name); kind {
	case Profile, Board:
		return kind, nil
	}
	return "", fmt.Errorf("executor of kind %q, expected %q or %q", name, Profile, Board)
}

// report is what a crawler of this kind found at the URL, as JSON.
func (k Kind) report(url string, html []byte) ([]byte, error) {
	if k == Board {
		return json.Marshal(BoardsReport{URL: url, Boards: page.ParseBoards(html)})
	}
	return json.Marshal(ProfileReport{URL: url, Profile: page.ParseProfile(html)})
}

// ProfileReport is the message of a Profile crawler to its scheduler.
type ProfileReport struct {
	URL string `json:"url"`
	page.Profile
}

// BoardsReport is the message of a Board crawler to its scheduler.
type BoardsReport struct {
	URL    string       `json:"url"`
	Boards []page.Board `json:"boards"`
}
