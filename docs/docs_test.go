package docs_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/meseta/meseta/internal/e2e/testcluster"
)

func TestMain(m *testing.M) { os.Exit(testcluster.Run(m)) }

// root is the top of the repository, seen from this package.
const root = ".."

// pages are the documents, by path from the top of the repository.
func pages(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob("*.md")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no documents found: %v", err)
	}
	all := make(map[string]string)
	for _, path := range append(paths, filepath.Join(root, "README.md")) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Join("docs", path)] = string(text)
	}
	return all
}

func page(t *testing.T, name string) string {
	t.Helper()
	return pages(t)[name]
}

var (
	fence   = regexp.MustCompile("(?ms)^(?:<!-- (\\S+) -->\n)?```(\\w*)\n(.*?)^```$")
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	inCode  = regexp.MustCompile("`([^`\n]+)`")
)

func TestGoSnippetsAreQuotedFromCodeThatIsTested(t *testing.T) {
	for name, text := range pages(t) {
		for _, m := range fence.FindAllStringSubmatch(text, -1) {
			source, language, snippet := m[1], m[2], m[3]
			if language != "go" {
				continue
			}
			if source == "" {
				t.Errorf("%s: a snippet does not say from which file it is, in a line <!-- path --> above it:\n%s", name, snippet)
				continue
			}
			code, err := os.ReadFile(filepath.Join(root, source))
			if err != nil {
				t.Errorf("%s: %v", name, err)
			} else if !strings.Contains(string(code), snippet) {
				t.Errorf("%s: %s does not have this, which is said to be from there:\n%s", name, source, snippet)
			}
		}
	}
}

func TestLinksLeadSomewhere(t *testing.T) {
	all := pages(t)
	for name, text := range all {
		for _, m := range link.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			path, anchor, _ := strings.Cut(m[1], "#")
			target := name
			if path != "" {
				target = filepath.Join(filepath.Dir(name), path)
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s: link to %s: %v", name, m[1], err)
			}
			if anchor != "" && !slices.Contains(anchors(all[target]), anchor) {
				t.Errorf("%s: link to %s: %s has no such heading", name, m[1], target)
			}
		}
	}
}

// anchors are the names under which a page's headings can be linked to.
func anchors(text string) (names []string) {
	for _, m := range heading.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		name := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case strings.ContainsRune("`,.:()[]/'…", r):
				return -1
			}
			return r
		}, strings.ToLower(m[1]))
		names = append(names, name)
	}
	return names
}

// paths are the directories whose files the documents name as if one stood at the top of the repository.
var paths = regexp.MustCompile(`^(?:\./)?((?:api|bench|cmd|docs|examples|executor|internal|interop|packaging|scheduler)/[\w./-]*\w)$`)

func TestFilesThatAreNamedExist(t *testing.T) {
	for name, text := range pages(t) {
		for _, m := range inCode.FindAllStringSubmatch(text, -1) {
			for word := range strings.FieldsSeq(m[1]) {
				p := paths.FindStringSubmatch(strings.TrimSuffix(word, "/..."))
				if p == nil {
					continue
				}
				if _, err := os.Stat(filepath.Join(root, p[1])); err != nil {
					t.Errorf("%s: `%s`: %v", name, m[1], err)
				}
			}
		}
	}
}

// help is what the binary says about a command.
func help(t *testing.T, command ...string) string {
	t.Helper()
	r := testcluster.Meseta(t, append(command, "--help")...)
	if r.Code != 0 {
		t.Fatalf("meseta %s --help: %+v", strings.Join(command, " "), r)
	}
	return r.Stdout
}

var (
	helpCommand = regexp.MustCompile(`(?m)^  ([a-z][a-z-]*)  +[A-Z]`)
	helpFlag    = regexp.MustCompile(`(?m)^ +(?:-\w, |    )--([a-z][a-z-]*)`)
	docFlag     = regexp.MustCompile(`--([a-z][a-z-]*)`)
	invocation  = regexp.MustCompile(`(?:^|[\s(])(?:go run \./cmd/)?meseta ([a-z][a-z-]*)([^;&|#)\n]*)`)
)

func names(found [][]string) (all []string) {
	for _, m := range found {
		all = append(all, m[1])
	}
	return all
}

// builtin are commands and flags that every command line of this kind has.
var builtin = []string{"help", "completion"}

func TestCommandLineIsDocumented(t *testing.T) {
	sections := make(map[string]string) // by command
	for part := range strings.SplitSeq(page(t, "docs/cli.md"), "\n### ") {
		title, _, _ := strings.Cut(part, "\n")
		for _, m := range regexp.MustCompile("`meseta ([a-z-]+(?: [a-z-]+)*)[ `]").FindAllStringSubmatch(title, -1) {
			if strings.Contains(part, "(configuration.md#") {
				part += page(t, "docs/configuration.md")
			}
			sections[m[1]] = part
		}
	}
	var documented func(command ...string)
	documented = func(command ...string) {
		text := help(t, command...)
		if below := names(helpCommand.FindAllStringSubmatch(text, -1)); len(below) > 0 {
			for _, c := range below {
				if !slices.Contains(builtin, c) {
					documented(append(slices.Clone(command), c)...)
				}
			}
		}
		name := strings.Join(command, " ")
		if !strings.Contains(text, "meseta "+name+" [flags]") && strings.Contains(text, "[command]") {
			return // it is only the name of those below it
		}
		if sections[name] == "" {
			t.Errorf("docs/cli.md has no section on meseta %s", name)
			return
		}
		for _, f := range names(helpFlag.FindAllStringSubmatch(text, -1)) {
			if f != "help" && !strings.Contains(sections[name], "`--"+f+"`") {
				t.Errorf("docs/cli.md: meseta %s: flag --%s is missing", name, f)
			}
		}
	}
	documented()
}

func TestCommandsAndFlagsExist(t *testing.T) {
	known := make(map[string]string) // help by command
	usage := func(command string) string {
		text, ok := known[command]
		if !ok {
			r := testcluster.Meseta(t, append(strings.Fields(command), "--help")...)
			text = r.Stdout
			if r.Code != 0 || !strings.Contains(text, "meseta "+command) {
				text = ""
			}
			known[command] = text
		}
		return text
	}
	// innermost follows the words of a line into commands that have others below them.
	innermost := func(command, rest string) string {
		for word := range strings.FieldsSeq(rest) {
			if !slices.Contains(names(helpCommand.FindAllStringSubmatch(usage(command), -1)), word) {
				break
			}
			command += " " + word
		}
		return command
	}
	for name, text := range pages(t) {
		for _, line := range commandLines(text) {
			for _, m := range invocation.FindAllStringSubmatch(line, -1) {
				command, rest := innermost(m[1], m[2]), m[2]
				flags := usage(command)
				if flags == "" && command != "supervisor" {
					t.Errorf("%s: %q: there is no meseta %s", name, line, command)
					continue
				}
				own, _, _ := strings.Cut(rest, " -- ")
				for _, f := range names(docFlag.FindAllStringSubmatch(own, -1)) {
					if flags != "" && !strings.Contains(flags, "--"+f) {
						t.Errorf("%s: %q: meseta %s has no flag --%s", name, line, command, f)
					}
				}
			}
		}
	}
}

// commandLines are what a reader may type: lines of shell, and code within a sentence.
func commandLines(text string) (lines []string) {
	for _, m := range fence.FindAllStringSubmatch(text, -1) {
		if m[2] == "sh" {
			lines = append(lines, strings.Split(m[3], "\n")...)
		}
	}
	for _, m := range inCode.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		lines = append(lines, m[1])
	}
	for line := range strings.SplitSeq(text, "\n") {
		if after, ok := strings.CutPrefix(line, "    go run"); ok {
			lines = append(lines, "go run"+after)
		}
	}
	return lines
}

func TestTargetsOfMakeExist(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range pages(t) {
		for _, m := range regexp.MustCompile("(?m)(?:^|`| {4})make ([a-z]+)").FindAllStringSubmatch(text, -1) {
			if !strings.Contains(string(makefile), "\n"+m[1]+":") {
				t.Errorf("%s: make %s: the Makefile has no such target", name, m[1])
			}
		}
	}
}

func TestHelloRunsOnARealCluster(t *testing.T) {
	c := testcluster.Start(t, testcluster.Options{})
	cmd := exec.CommandContext(t.Context(), "go", "run", "./hello")
	cmd.Env = append(os.Environ(), "MESETA_MASTER="+c.Master.Address)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "hello-1 TASK_FINISHED") {
		t.Fatalf("%v:\n%s", err, out)
	}
	logs := testcluster.Meseta(t, "logs", "--master", c.Master.Address, "hello-1")
	if logs.Stdout != "hello from hello-1\n" {
		t.Errorf("logs: %+v", logs)
	}
}

func TestEveryDependencyIsExplained(t *testing.T) {
	const format = `{{join .Imports "\n"}}{{"\n"}}{{join .TestImports "\n"}}{{"\n"}}{{join .XTestImports "\n"}}`
	modules := goList(t, "list", "-m", "-f", "{{.Path}}", "all")
	text := page(t, "docs/dependencies.md")
	missing := make(map[string]bool)
	for _, imported := range goList(t, "list", "-f", format, "./...") {
		first, _, _ := strings.Cut(imported, "/")
		if !strings.Contains(first, ".") || strings.HasPrefix(imported, "github.com/meseta/") {
			continue
		}
		module := longest(modules, imported)
		if !strings.Contains(text, "`"+module+"`") {
			missing[fmt.Sprintf("%s (for %s)", module, imported)] = true
		}
	}
	for m := range missing {
		t.Errorf("docs/dependencies.md does not say what %s is for", m)
	}
}

func goList(t *testing.T, args ...string) []string {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v", strings.Join(args, " "), err)
	}
	return strings.Fields(string(out))
}

// longest is the module that holds a package.
func longest(modules []string, pkg string) (best string) {
	for _, m := range modules {
		if (pkg == m || strings.HasPrefix(pkg, m+"/")) && len(m) > len(best) {
			best = m
		}
	}
	return best
}
