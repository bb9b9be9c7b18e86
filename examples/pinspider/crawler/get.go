package crawler

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// maxPage bounds a page: a crawler reads what strangers wrote, and one of them writes without end.
const maxPage = 16 << 20

// get reads a page. Its errors name the URL.
func get(ctx context.Context, client *http.Client, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", "pinspider")
	answer, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("Get %q: the server answered %s, expected 200 OK", url, answer.Status)
	}
	html, err := io.ReadAll(io.LimitReader(answer.Body, maxPage+1))
	if err == nil && len(html) > maxPage {
		err = errors.New("the page is larger than 16 MiB")
	}
	if err != nil {
		return nil, fmt.Errorf("Get %q: %w", url, err)
	}
	return html, nil
}
