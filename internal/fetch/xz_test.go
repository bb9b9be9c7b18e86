package fetch_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ulikunitz/xz"

	"github.com/meseta/meseta/internal/fetch"
)

func xzReader(data []byte) io.Reader {
	return fetch.NewXZReader(bufio.NewReader(bytes.NewReader(data)))
}

func xzOf(t testing.TB, cfg xz.WriterConfig, data []byte) []byte {
	t.Helper()
	var packed bytes.Buffer
	w, err := cfg.NewWriter(&packed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

func TestXZReadsWhatWasWritten(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 10_000)
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	for _, cfg := range []xz.WriterConfig{
		{CheckSum: xz.CRC32}, {CheckSum: xz.CRC64}, {CheckSum: xz.SHA256}, {NoCheckSum: true},
		{BlockSize: 1000, DictCap: 4096}, {BlockSize: 4099, DictCap: 1 << 16, CheckSum: xz.SHA256},
	} {
		for _, want := range [][]byte{nil, []byte("a"), noise, bytes.Repeat([]byte("again and "), 2222), append(noise, noise...)} {
			packed := xzOf(t, cfg, want)
			for _, padding := range []int{0, 8} {
				twice := append(append(append([]byte{}, packed...), make([]byte, padding)...), packed...)
				got, err := io.ReadAll(xzReader(twice))
				if err != nil || !bytes.Equal(got, append(want, want...)) {
					t.Fatalf("%+v: read %d bytes and %v, want twice %d", cfg, len(got), err, len(want))
				}
			}
		}
	}
}

func TestXZDamageIsFound(t *testing.T) {
	want := strings.Repeat("all of this matters. ", 7)
	whole := xzOf(t, xz.WriterConfig{BlockSize: 50, DictCap: 4096}, []byte(want))
	for i := range whole {
		for _, flip := range []byte{1, 0x80} {
			damaged := bytes.Clone(whole)
			damaged[i] ^= flip
			// LZMA2 says the packed size of a chunk although its end can be told without.
			if got, err := io.ReadAll(xzReader(damaged)); err == nil && string(got) != want {
				t.Errorf("byte %d of %d changed by %#x: no error, and %q", i, len(whole), flip, got)
			}
		}
		if _, err := io.ReadAll(xzReader(whole[:i])); err == nil {
			t.Errorf("cut after %d of %d bytes: no error", i, len(whole))
		}
	}
}

// withDictionary makes a file whose first block declares another dictionary size.
func withDictionary(t testing.TB, code byte) []byte {
	data := xzOf(t, xz.WriterConfig{DictCap: 4096}, []byte("x"))
	header := data[12 : 12+(int(data[12])+1)*4]
	at := bytes.Index(header, []byte{0x21, 1}) // LZMA2, one byte of properties
	header[at+2] = code
	n := len(header) - 4
	binary.LittleEndian.PutUint32(header[n:], crc32.ChecksumIEEE(header[:n]))
	return data
}

func TestXZWithHugeDictionaryIsRefused(t *testing.T) {
	for code, want := range map[byte]string{
		28: "",                               // 64 MiB, as xz -9
		29: "dictionary of 100663296 bytes",  // 96 MiB
		40: "dictionary of 4294967295 bytes", // all that the format has
		41: "damaged data: dictionary size",  // nothing
	} {
		_, err := io.ReadAll(xzReader(withDictionary(t, code)))
		if want != "" {
			wantError(t, err, want)
		} else if err != nil {
			t.Errorf("dictionary code %d: %v", code, err)
		}
	}
}

func TestXZWithManyTinyBlocksOfBigDictionariesIsRefused(t *testing.T) {
	one := withDictionary(t, 28)
	_, err := io.ReadAll(xzReader(bytes.Repeat(one, 15)))
	if err != nil {
		t.Errorf("15 blocks: %v, want no error", err)
	}
	_, err = io.ReadAll(xzReader(bytes.Repeat(one, 40)))
	wantError(t, err, "too small for their dictionaries")
}

func FuzzXZ(f *testing.F) {
	seeds, _ := filepath.Glob("testdata/*.xz")
	for _, seed := range seeds {
		data, err := os.ReadFile(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := io.ReadAll(io.LimitReader(xzReader(data), 1<<20))
		library, libraryErr := xz.NewReader(bytes.NewReader(data))
		if err != nil || libraryErr != nil || len(got) == 1<<20 {
			return
		}
		want, err := io.ReadAll(library)
		if err == nil && !bytes.Equal(got, want) {
			t.Errorf("read %d bytes, the library reads %d others", len(got), len(want))
		}
	})
}
