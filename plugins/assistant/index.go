package assistant

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// The parameters of BM25 (Robertson and Zaragoza, The Probabilistic Relevance
// Framework, 2009): k at its customary value, b below its own, since a list is
// long without being wordy. Then what a word in a title or a heading counts, and
// by what a score is multiplied.
const (
	bm25K       = 1.2
	bm25B       = 0.4
	titleBoost  = 2
	headBoost   = 1.5
	topicBoost  = 1.25 // for a passage whose text's title speaks of the question
	otherTongue = 0.5  // for a passage in another language than the question's
	partial     = 0.3  // at least, however little of the question a passage speaks of
)

// passagesPerQuestion is how many passages a Responder gets at most.
const passagesPerQuestion = 6

// index is one domain's knowledge, ready to be searched. It is not changed once
// made.
type index struct {
	units  []unit
	posts  map[string][]posting // by stem
	length float64              // of a unit, on average, in words
	topics map[string][]string  // titles by language
}

// unit is a chunk of a text.
type unit struct {
	title  string
	text   string
	lang   string
	length float64
	head   map[string]bool // stems of the title
}

// posting says how often a stem is in a unit.
type posting struct {
	unit int
	n    float64
}

// newIndex reads a domain's texts.
func newIndex(texts []storage.Knowledge) *index {
	x := &index{posts: map[string][]posting{}, topics: map[string][]string{}}
	for _, k := range texts {
		lang := languageOf(k.Title + "\n" + k.Text)
		x.topics[lang] = append(x.topics[lang], k.Title)
		for _, c := range chunks(k.Text) {
			x.add(k.Title, c, lang)
		}
	}
	for _, u := range x.units {
		x.length += u.length / float64(len(x.units))
	}
	return x
}

func (x *index) add(title string, c chunk, lang string) {
	u := unit{title: title, text: c.text, lang: lang, head: map[string]bool{}}
	count := map[string]float64{}
	for t := range terms(title, lang) {
		count[t] += titleBoost
		u.head[t] = true
	}
	for t := range terms(c.heading, lang) {
		count[t] += headBoost
	}
	for t := range terms(c.text, lang) {
		count[t]++
		u.length++
	}
	x.units = append(x.units, u)
	for t, n := range count {
		x.posts[t] = append(x.posts[t], posting{len(x.units) - 1, n})
	}
}

// rarity is what a stem counts: the rarer, the more.
func (x *index) rarity(stem string) float64 {
	n, all := float64(len(x.posts[stem])), float64(len(x.units))
	return math.Log(1 + (all-n+0.5)/(n+0.5))
}

// consult fills in what the domain knows about a question.
func (x *index) consult(q *Question) {
	q.Lang = languageOf(q.Text)
	q.Topics = x.topics[q.Lang]
	q.Passages = x.search(query(*q), q.Lang)
}

// followUpWeight is what the words of the question before count where the
// question seems to lean on it.
const followUpWeight = 0.4

// howMuchWeight is what the price counts where it is asked for in passing.
const howMuchWeight = 0.5

// query is what to look for: the question's stems, with their weights. "And to
// Oslo?" and "How much is it?" lean on what was asked before.
func query(q Question) map[string]float64 {
	want := map[string]float64{}
	for t := range terms(q.Text, q.Lang) {
		want[t] = 1
	}
	if len(want) == 0 && asksWhere(q.Text) {
		want[stem("location")] = 1 // "Where are you?" has no other word for it
	}
	if price := stem("price"); want[price] == 0 && strings.Contains(strings.ToLower(q.Text), "how much") {
		want[price] = howMuchWeight
	}
	if len(want) > 3 || !leans(q.Text) {
		return want
	}
	for _, before := range slices.Backward(q.History) {
		if before.By != hub.Visitor {
			continue
		}
		for t := range terms(before.Text, q.Lang) {
			if _, ok := want[t]; !ok {
				want[t] = followUpWeight
			}
		}
		break
	}
	return want
}

// asksWhere tells whether a question is for a place.
func asksWhere(text string) bool {
	for w := range words(text) {
		if w == "where" || w == "wheres" || w == "mana" || w == "dimana" {
			return true
		}
	}
	return false
}

var leaning = set("and what about it its that they them those this these there then dan kalau lalu itu ini nya tersebut")

// leans tells whether a question refers to what was said before it.
func leans(text string) bool {
	for w := range words(text) {
		if leaning[w] {
			return true
		}
	}
	return false
}

// hit is what a question finds in one unit: by the question's stems, what each
// is worth there, by itself or by one of its kin.
type hit struct {
	worth   map[string]float64
	onTopic bool
}

// search ranks the units by BM25 and by how much of the question they speak of.
func (x *index) search(want map[string]float64, lang string) []Passage {
	hits := map[int]*hit{}
	// In order, so that sums, and with them ranks, come out the same each time.
	stems := slices.Sorted(maps.Keys(want))
	total, value := 0.0, map[string]float64{}
	for _, t := range stems {
		value[t] = want[t] * x.known(t)
		total += value[t]
		x.look(hits, t, t, want[t])
		for _, k := range kin[t] {
			x.look(hits, t, k, want[t]*kinWeight)
		}
	}
	var out []Passage
	for _, i := range slices.Sorted(maps.Keys(hits)) {
		h, u := hits[i], x.units[i]
		p := Passage{Title: u.title, Text: u.text, OnTopic: h.onTopic, terms: value}
		for _, t := range stems {
			if worth := h.worth[t]; worth > 0 {
				p.Score += worth
				p.Cover += value[t] / total
			}
		}
		p.Score *= partial + (1-partial)*p.Cover
		if p.OnTopic {
			p.Score *= topicBoost
		}
		if u.lang != lang {
			p.Score *= otherTongue
		}
		out = append(out, p)
	}
	slices.SortStableFunc(out, func(a, b Passage) int { return cmp.Compare(b.Score, a.Score) })
	return out[:min(len(out), passagesPerQuestion)]
}

// look notes what one stem is worth in each unit, on behalf of the question's
// stem t. Kin are worth no more for being rarer than what was asked for.
func (x *index) look(hits map[int]*hit, t, stem string, weight float64) {
	worth := weight * min(x.rarity(stem), x.known(t))
	for _, p := range x.posts[stem] {
		u, h := x.units[p.unit], hits[p.unit]
		if h == nil {
			h = &hit{worth: map[string]float64{}}
			hits[p.unit] = h
		}
		tf := p.n * (bm25K + 1) / (p.n + bm25K*(1-bm25B+bm25B*u.length/x.length))
		h.worth[t] = max(h.worth[t], worth*tf)
		h.onTopic = h.onTopic || u.head[stem]
	}
}

// known is what one of the question's stems counts: its own rarity, or that of
// its kin where the knowledge only has those. What is nowhere is as rare as can
// be, so that a question about it is seen not to be covered.
func (x *index) known(t string) float64 {
	if len(x.posts[t]) > 0 {
		return x.rarity(t)
	}
	best := 0.0
	for _, k := range kin[t] {
		if len(x.posts[k]) > 0 {
			best = max(best, x.rarity(k))
		}
	}
	if best > 0 {
		return best
	}
	return x.rarity(t)
}
