package wordfilter

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

// list is a domain's entries, made ready for any number of texts. It is an
// Aho–Corasick automaton over folded characters: for each character of a text one
// step forward, never more steps back in all than there were forward, and a look
// at each entry that ends there, which are at most as many as the longest entry
// has characters. Nothing is tried again. It is our own because what a match is,
// whole words as folded, with the bytes that they came of, is most of it; the
// libraries for it find bytes. It does not change once made.
type list struct {
	nodes []node
	edges map[edge]int32
}

// node is a beginning that entries have in common. Node 0 is the empty one.
type node struct {
	depth int32   // its characters
	fail  int32   // the longest other beginning that it ends with
	more  int32   // the nearest on the way of fail that is the end of an entry; 0: none
	ends  []entry // that it is the whole of: of a word at most one as such and one with a *
}

type edge struct {
	from int32
	r    rune
}

// entry is what the automaton keeps of an entry.
type entry struct{ prefix, refuse bool }

// compile makes a list of what is to be masked and what is to be refused.
func compile(mask, refuse []string) *list {
	l := &list{nodes: make([]node, 1), edges: map[edge]int32{}}
	type step struct {
		edge
		to int32
	}
	var steps []step
	add := func(text string, refuse bool) {
		at := int32(0)
		word, prefix := strings.CutSuffix(text, "*")
		for _, s := range fold(word) {
			e := edge{at, s.r}
			to, known := l.edges[e]
			if !known {
				to = int32(len(l.nodes))
				l.nodes = append(l.nodes, node{depth: l.nodes[at].depth + 1})
				l.edges[e] = to
				steps = append(steps, step{e, to})
			}
			at = to
		}
		if at != 0 {
			l.nodes[at].ends = append(l.nodes[at].ends, entry{prefix, refuse})
		}
	}
	for _, text := range mask {
		add(text, false)
	}
	for _, text := range refuse {
		add(text, true)
	}
	// Shorter beginnings first: where a longer one falls back to is then known.
	slices.SortStableFunc(steps, func(a, b step) int { return cmp.Compare(l.nodes[a.to].depth, l.nodes[b.to].depth) })
	for _, s := range steps {
		n := &l.nodes[s.to]
		if s.from != 0 {
			n.fail = l.next(l.nodes[s.from].fail, s.r)
		}
		if n.more = n.fail; len(l.nodes[n.fail].ends) == 0 {
			n.more = l.nodes[n.fail].more
		}
	}
	return l
}

// next is where a character leads from a beginning: on, or back to the longest
// that it continues.
func (l *list) next(at int32, r rune) int32 {
	for {
		if to, ok := l.edges[edge{at, r}]; ok {
			return to
		}
		if at == 0 {
			return 0
		}
		at = l.nodes[at].fail
	}
}

// bullet stands for a character that is not shown.
const bullet = '•'

// check returns a text with every match masked, and whether one of them is to be
// refused.
func (l *list) check(text string) (masked string, refused bool) {
	if len(l.nodes) == 1 {
		return text, false
	}
	symbols := fold(text)
	cut := boundaries(symbols)
	// begin[i] is where the longest match that ends before symbol i begins.
	begin := make([]int32, len(symbols)+1)
	for i := range begin {
		begin[i] = int32(i)
	}
	found := false
	for at, i := int32(0), 0; i < len(symbols); i++ {
		at = l.next(at, symbols[i].r)
		for n := at; n != 0; n = l.nodes[n].more {
			from := int32(i) + 1 - l.nodes[n].depth
			if !cut[from] {
				continue
			}
			for _, e := range l.nodes[n].ends {
				to := i + 1
				for e.prefix && !cut[to] {
					to++ // all of a word that begins so
				}
				if cut[to] {
					begin[to] = min(begin[to], from)
					found, refused = true, refused || e.refuse
				}
			}
		}
	}
	if !found {
		return text, false
	}
	return mask(text, symbols, begin), refused
}

// mask writes a bullet for each character of the matches that a reader would
// count. White space stays, so that the text breaks as it did.
func mask(text string, symbols []symbol, begin []int32) string {
	covered := make([]bool, len(symbols))
	first := int32(len(symbols))
	for i := len(symbols); i > 0; i-- {
		first = min(first, begin[i])
		covered[i-1] = first < int32(i)
	}
	var out strings.Builder
	done := int32(0)
	for i, s := range symbols {
		if !covered[i] || s.from < done {
			continue
		}
		if i == 0 || !covered[i-1] { // between two of them is nothing that is seen
			out.WriteString(text[done:s.from])
		}
		for _, r := range text[s.from:s.to] {
			switch {
			case unicode.IsSpace(r):
				out.WriteRune(r)
			case !unicode.Is(unicode.M, r) && !unseen(r):
				out.WriteRune(bullet)
			}
		}
		done = s.to
	}
	out.WriteString(text[done:])
	return out.String()
}
