package settings

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// maxFile bounds a settings file.
const maxFile = 1 << 20

// assignment is a setting in a file.
type assignment struct{ place, name, value string }

// read reads settings from a file or a directory.
func read(path string) ([]assignment, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("settings file: %w", err)
	}
	if info.IsDir() {
		return readDir(path)
	}
	content, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return readLines(path, content)
}

func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("settings file: %w", err)
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("settings file %s: expected at most %d bytes, it has %d", path, maxFile, info.Size())
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("settings file: %w", err)
	}
	return content, nil
}

// readLines reads a file of lines "name = value" and of comments that begin with "#". A name may come once.
func readLines(path string, content []byte) ([]assignment, error) {
	var all []assignment
	seen := make(map[string]int)
	text := bufio.NewScanner(bytes.NewReader(content))
	text.Buffer(nil, maxFile+1)
	for n := 1; text.Scan(); n++ {
		line := strings.TrimSpace(text.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		place := fmt.Sprintf("%s, line %d", path, n)
		name, value, ok := strings.Cut(line, "=")
		if !ok {
			return nil, fmt.Errorf("%s: %q: expected name = value", place, line)
		}
		name = strings.TrimSpace(name)
		if at := seen[underscored(name)]; at > 0 {
			return nil, fmt.Errorf("%s: %s was set in line %d already", place, name, at)
		}
		seen[underscored(name)] = n
		all = append(all, assignment{place: place, name: name, value: strings.TrimSpace(value)})
	}
	return all, text.Err()
}

// joined are the settings whose parts may be files of a directory: /etc/mesos-agent/attributes/rack.
var joined = []string{"attributes", "resources"}

// readDir reads a directory as packages of Mesos have it: a file is named after a setting and holds its
// value; "?name" and "?no-name" are switches, whatever they hold; files in the directories attributes and
// resources are parts of those settings. What begins with a dot is left out.
func readDir(path string) ([]assignment, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("settings directory: %w", err)
	}
	var all []assignment
	for _, e := range entries {
		name, file := e.Name(), filepath.Join(path, e.Name())
		if strings.HasPrefix(name, ".") {
			continue
		}
		info, err := os.Stat(file) // and not e.Info: it may be a link
		if err != nil {
			return nil, fmt.Errorf("settings directory: %w", err)
		}
		a := assignment{place: path, name: name}
		if bare, ok := strings.CutPrefix(name, "?"); ok {
			a.name, a.value = bare, "true"
		} else if info.IsDir() {
			a.value, err = readParts(file)
		} else {
			var content []byte
			content, err = readFile(file)
			a.value = strings.TrimSpace(string(content))
		}
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

// readParts reads a directory of files that are named after an attribute or resource each.
func readParts(path string) (string, error) {
	setting := filepath.Base(path)
	if setting != joined[0] && setting != joined[1] {
		return "", fmt.Errorf("settings directory %s: expected a file, only %s may be directories", path, strings.Join(joined, " and "))
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return "", fmt.Errorf("settings directory: %w", err)
	}
	var parts []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		content, err := readFile(filepath.Join(path, e.Name()))
		if err != nil {
			return "", err
		}
		parts = append(parts, e.Name()+":"+strings.TrimSpace(string(content)))
	}
	return strings.Join(parts, ";"), nil
}
