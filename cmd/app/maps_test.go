package app_test

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The maps in the packages' comments name every file there is, and no other.
func TestMaps(t *testing.T) {
	entry := regexp.MustCompile(`(?m)^\t([a-z0-9_]+\.go) `)
	var maps []string
	for _, depth := range []string{"*", "*/*", "*/*/*"} {
		found, err := filepath.Glob("../../" + depth + "/doc.go")
		if err != nil {
			t.Fatal(err)
		}
		maps = append(maps, found...)
	}
	if len(maps) < 10 {
		t.Fatalf("there are only %d maps: %q", len(maps), maps)
	}
	for _, path := range maps {
		folder := filepath.Dir(path)
		t.Run(strings.TrimPrefix(folder, "../../"), func(t *testing.T) {
			files, err := filepath.Glob(folder + "/*.go")
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for _, file := range files {
				if name := filepath.Base(file); name != "doc.go" && !strings.HasSuffix(name, "_test.go") {
					want = append(want, name)
				}
			}
			doc, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.PackageClauseOnly|parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			var named []string
			for _, match := range entry.FindAllStringSubmatch(doc.Doc.Text(), -1) {
				named = append(named, match[1])
			}
			slices.Sort(named)
			if diff := cmp.Diff(want, named); diff != "" {
				t.Errorf("doc.go is no map of the folder (-folder +map):\n%s", diff)
			}
		})
	}
}

// The files that the README names are there.
func TestREADMEFiles(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	files := regexp.MustCompile("`([a-z/-]+\\.go)`").FindAllSubmatch(readme, -1)
	if len(files) < 10 {
		t.Fatalf("the README names only %d files", len(files))
	}
	for _, file := range files {
		if _, err := os.Stat("../../" + string(file[1])); err != nil {
			t.Error(err)
		}
	}
}
