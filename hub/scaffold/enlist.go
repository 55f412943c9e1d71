package scaffold

import (
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Import is how a file imports the plugin. A package that is not called like its
// folder is named.
func (p plugin) Import() string {
	spec := strconv.Quote(p.path())
	if p.Package != p.ID {
		return p.Package + " " + spec
	}
	return spec
}

func (p plugin) path() string { return path.Join(p.Module, "plugins", p.ID) }

// element is its line in the list of plugins.
func (p plugin) element() string { return p.Package + ".New()," }

var errNoList = errors.New("it has no function plugins that returns a list")

// enlist returns main.go's source with the plugin imported and at the end of the
// list, which is where a plugin disturbs the least. What is there already is not
// added again.
func (p plugin) enlist(src []byte) ([]byte, error) {
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, "main.go", src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	list := pluginList(f)
	if list == nil {
		return nil, errNoList
	}
	offset := func(p token.Pos) int { return set.Position(p).Offset }
	var add []insertion
	if !slices.ContainsFunc(list.Elts, p.isElement) {
		add = append(add, insertion{offset(list.Rbrace), p.element() + "\n"})
		if n := len(list.Elts); n > 0 && set.Position(list.Elts[n-1].End()).Line == set.Position(list.Rbrace).Line {
			add[0].text = ",\n" + add[0].text // "{a, b}" on one line
		}
	}
	if i := slices.IndexFunc(f.Imports, func(s *ast.ImportSpec) bool { return importPath(s) == p.path() }); i < 0 {
		// gofmt sorts it within its group, so it goes to a neighbour of the group.
		near := neighbour(f.Imports, p.Module)
		if near == nil {
			return nil, errors.New("it imports nothing of " + p.Module)
		}
		add = append(add, insertion{offset(near.End()), "\n" + p.Import()})
	}
	slices.SortFunc(add, func(a, b insertion) int { return b.at - a.at })
	for _, a := range add { // from the end, so that places before stay true
		src = slices.Concat(src[:a.at], []byte(a.text), src[a.at:])
	}
	out, err := format.Source(src)
	if err != nil {
		return nil, fmt.Errorf("with the plugin it would not be Go: %w", err)
	}
	return out, nil
}

// insertion is a text to be put in at a place.
type insertion struct {
	at   int
	text string
}

// pluginList finds the literal that the function plugins returns.
func pluginList(f *ast.File) *ast.CompositeLit {
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Name.Name != "plugins" || fn.Recv != nil || fn.Body == nil || len(fn.Body.List) == 0 {
			continue
		}
		ret, ok := fn.Body.List[len(fn.Body.List)-1].(*ast.ReturnStmt)
		if !ok || len(ret.Results) != 1 {
			continue
		}
		lit, ok := ret.Results[0].(*ast.CompositeLit)
		if !ok {
			continue
		}
		if _, isList := lit.Type.(*ast.ArrayType); isList {
			return lit
		}
	}
	return nil
}

// isElement tells whether e is the plugin's New().
func (p plugin) isElement(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	fn, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x, ok := fn.X.(*ast.Ident)
	return ok && x.Name == p.Package
}

// neighbour is an import that the plugin's belongs beside: another plugin's, or
// else one of the same module.
func neighbour(imports []*ast.ImportSpec, module string) *ast.ImportSpec {
	for _, prefix := range []string{module + "/plugins/", module + "/"} {
		for _, s := range slices.Backward(imports) {
			if strings.HasPrefix(importPath(s), prefix) {
				return s
			}
		}
	}
	return nil
}

func importPath(s *ast.ImportSpec) string {
	p, _ := strconv.Unquote(s.Path.Value) // the parser has read it
	return p
}

// namesIn lists the names that a file imports packages by, the plugin's own aside,
// and those that it declares itself.
func (p plugin) namesIn(src []byte) []string {
	f, err := parser.ParseFile(token.NewFileSet(), "", src, parser.SkipObjectResolution)
	if err != nil {
		return nil // enlist tells
	}
	var names []string
	for _, s := range f.Imports {
		switch {
		case importPath(s) == p.path():
		case s.Name != nil:
			names = append(names, s.Name.Name)
		default:
			names = append(names, path.Base(importPath(s)))
		}
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				names = append(names, d.Name.Name)
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					names = append(names, s.Name.Name)
				case *ast.ValueSpec:
					for _, n := range s.Names {
						names = append(names, n.Name)
					}
				}
			}
		}
	}
	return names
}
