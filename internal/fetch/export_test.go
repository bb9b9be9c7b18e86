package fetch

// Waiting tells how many wait for the URI to come into the cache.
func (f *Fetcher) Waiting(uri string) int {
	f.cache.mu.Lock()
	defer f.cache.mu.Unlock()
	if fl := f.cache.flights[uri]; fl != nil {
		return fl.waiting
	}
	return 0
}

// Doors to what is worth a test of its own.
var (
	NewXZReader = newXZReader
	MustChange  = mustChange
)
