package app_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestWarningsSayWhatToDo: every log call at warn or above has the attribute do.
func TestWarningsSayWhatToDo(t *testing.T) {
	t.Parallel()
	files, found := token.NewFileSet(), 0
	for _, root := range []string{"../../connector", "../../pipeline", "../../cmd"} {
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok && warns(call) {
					found++
					if !saysWhatToDo(call) {
						t.Errorf("%s does not have the attribute do", files.Position(call.Pos()))
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if found < 30 {
		t.Errorf("found only %d log calls: were loggers renamed?", found)
	}
}

// warns reports whether the call is one of Warn or Error of something that is called log.
func warns(call *ast.CallExpr) bool {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || method.Sel.Name != "Warn" && method.Sel.Name != "Error" {
		return false
	}
	of := method.X
	if made, ok := of.(*ast.CallExpr); ok {
		of = made.Fun
	}
	switch of := of.(type) {
	case *ast.Ident:
		return strings.EqualFold(of.Name, "log")
	case *ast.SelectorExpr:
		return strings.EqualFold(of.Sel.Name, "log")
	}
	return false
}

func saysWhatToDo(call *ast.CallExpr) bool {
	for _, arg := range call.Args {
		if text, ok := arg.(*ast.BasicLit); ok && text.Value == `"do"` {
			return true
		}
	}
	return false
}
