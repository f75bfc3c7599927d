package deploy_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

var (
	codeBlock = regexp.MustCompile("(?s)```.*?```")
	heading   = regexp.MustCompile(`(?m)^#+ (.*)$`)
	pageLink  = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	pathLike  = regexp.MustCompile("`([^`\\s]+/[^`\\s]*)`")
)

// TestPages_Links: the targets of all links to files of the repository and to sections exist.
func TestPages_Links(t *testing.T) {
	pages := map[string]string{}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".md" {
			return err
		}
		text, err := os.ReadFile(path)
		pages[path] = codeBlock.ReplaceAllString(string(text), "")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range pages {
		for _, match := range pageLink.FindAllStringSubmatch(text, -1) {
			if strings.Contains(match[1], "://") {
				continue
			}
			file, section, _ := strings.Cut(match[1], "#")
			target := path
			if file != "" {
				target = filepath.Join(filepath.Dir(path), file)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which does not exist", path, match[1])
			} else if section != "" && !hasSection(pages[target], section) {
				t.Errorf("%s links to %s, but there is no such section", path, match[1])
			}
		}
	}
}

// hasSection reports whether a page has a heading with that anchor.
func hasSection(page, name string) bool {
	for _, match := range heading.FindAllStringSubmatch(page, -1) {
		anchor := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, match[1])
		if anchor == name {
			return true
		}
	}
	return false
}

// TestPages_WhereToFind: the files and folders in CONTRIBUTING's tables exist.
func TestPages_WhereToFind(t *testing.T) {
	text, err := os.ReadFile("../.github/CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	_, tables, found := strings.Cut(string(text), "## The code")
	if !found {
		t.Fatal("CONTRIBUTING.md has no section of the code")
	}
	for _, match := range pathLike.FindAllStringSubmatch(tables, -1) {
		if strings.HasPrefix(match[1], "/") { // a path of the admin server
			continue
		}
		if _, err := os.Stat(filepath.Join("..", match[1])); err != nil {
			t.Errorf("CONTRIBUTING.md names %s, which does not exist", match[1])
		}
	}
}
