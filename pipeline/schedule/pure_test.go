package schedule

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestPure: the package uses no clock, log, randomness, goroutine, channel or I/O, and
// assigns the state of a day in only one place.
func TestPure(t *testing.T) {
	allowed := []string{"cmp", "errors", "fmt", "iter", "maps", "math", "slices", "strconv", "strings", "time", "dfinery-kafka/pipeline/ledger", "dfinery-kafka/schema"}
	clock := []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			if path, _ := strconv.Unquote(spec.Path.Value); !slices.Contains(allowed, path) {
				t.Errorf("%s imports %s", name, path)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			at := set.Position(n2pos(n))
			switch n := n.(type) {
			case *ast.GoStmt, *ast.SelectStmt, *ast.SendStmt, *ast.ChanType:
				t.Errorf("%s uses a goroutine or a channel", at)
			case *ast.SelectorExpr:
				if pkg, ok := n.X.(*ast.Ident); ok && pkg.Name == "time" && slices.Contains(clock, n.Sel.Name) {
					t.Errorf("%s uses time.%s", at, n.Sel.Name)
				}
			case *ast.AssignStmt:
				for _, to := range n.Lhs {
					if field, ok := to.(*ast.SelectorExpr); ok && field.Sel.Name == "State" && isRecord(field.X) && name != "moves.go" {
						t.Errorf("%s assigns the state of a day", at)
					}
				}
			}
			return true
		})
	}
}

// TestPure_Closure: no package that this one imports, directly or not, does I/O.
func TestPure_Closure(t *testing.T) {
	const module = "dfinery-kafka/"
	seen := map[string]bool{}
	var visit func(dir string)
	visit = func(dir string) {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
			if err != nil {
				t.Fatal(err)
			}
			for _, spec := range file.Imports {
				path, _ := strconv.Unquote(spec.Path.Value)
				ours, isOurs := strings.CutPrefix(path, module)
				switch {
				case seen[path]:
				case isOurs:
					seen[path] = true
					visit(filepath.Join("../..", ours))
				case path == "os" || path == "syscall" || path == "net" || strings.HasPrefix(path, "net/") || strings.HasPrefix(path, "os/") ||
					path == "github.com/segmentio/kafka-go" || strings.HasPrefix(path, "github.com/segmentio/kafka-go/protocol"):
					t.Errorf("%s imports %s", name, path)
				}
			}
		}
	}
	visit(".")
	if !seen[module+"pipeline/ledger"] {
		t.Error("package ledger is not among the imports: the check finds none")
	}
}

// isRecord reports whether x is the record of a day, by the names that this package uses.
func isRecord(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.Ident:
		return x.Name == "r" || x.Name == "record"
	case *ast.SelectorExpr:
		return x.Sel.Name == "record"
	}
	return false
}

func n2pos(n ast.Node) token.Pos {
	if n == nil {
		return token.NoPos
	}
	return n.Pos()
}
