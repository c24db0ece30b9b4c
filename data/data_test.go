package data_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/parley-nlp/parley/data"
)

var update = flag.Bool("update", false, "rewrite the tables in README.md")

var (
	topics = []string{
		"alliances", "domestic_politics", "global_order", "humanitarian", "other", "peace_process",
		"sanctions_economy", "security_military", "summit_event", "territory", "us_russia_relations", "war_background",
	}
	stances = []string{"hopeful", "skeptical", "neutral"}
	voices  = []string{"author", "quoted", "mixed"}
	parts   = []string{"train", "dev", "test"}
)

// labels are what one reader says of a paragraph.
type labels struct {
	Topic  string `json:"topic"`
	Stance string `json:"stance"`
	Voice  string `json:"voice"`
}

// A paragraph is a line of the corpus.
type paragraph struct {
	ID     string `json:"id"`
	Group  string `json:"group"`
	Writer string `json:"writer"`
	Text   string `json:"text"`
	labels
	First  labels `json:"first"`
	Second labels `json:"second"`

	part string
}

// read returns the corpus, in the order of its files.
func read(t *testing.T) []paragraph {
	t.Helper()
	var list []paragraph
	for _, part := range parts {
		b, err := data.FS.ReadFile(part + ".jsonl")
		if err != nil {
			t.Fatal(err)
		}
		d := json.NewDecoder(bytes.NewReader(b))
		d.DisallowUnknownFields()
		for line := 1; ; line++ {
			p := paragraph{part: part}
			err := d.Decode(&p)
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%s.jsonl:%d: %v", part, line, err)
			}
			list = append(list, p)
		}
	}
	return list
}

func TestFilesAreTheParts(t *testing.T) {
	entries, err := data.FS.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != len(parts) {
		t.Errorf("%d files, want %d: %v", len(entries), len(parts), parts)
	}
}

func TestSchema(t *testing.T) {
	ids, writerOf := map[string]bool{}, map[string]string{}
	for _, p := range read(t) {
		if ids[p.ID] || !strings.HasPrefix(p.ID, p.Group+"-p") || !strings.HasPrefix(p.Group, p.Writer+"-d") {
			t.Errorf("%s: want an id of its own that begins with its group %q and writer %q", p.ID, p.Group, p.Writer)
		}
		ids[p.ID] = true
		if w, ok := writerOf[p.Group]; ok && w != p.Writer {
			t.Errorf("%s: group %q has two writers, %q and %q", p.ID, p.Group, w, p.Writer)
		}
		writerOf[p.Group] = p.Writer
		for name, l := range map[string]labels{"final": p.labels, "first": p.First, "second": p.Second} {
			if !slices.Contains(topics, l.Topic) || !slices.Contains(stances, l.Stance) || !slices.Contains(voices, l.Voice) {
				t.Errorf("%s: %s labels %+v", p.ID, name, l)
			}
		}
		if p.Topic == "other" && p.Stance != "neutral" {
			t.Errorf("%s: topic other with stance %s", p.ID, p.Stance)
		}
		if p.Text != strings.TrimSpace(p.Text) || p.Text == "" || strings.ContainsRune(p.Text, unicode.ReplacementChar) {
			t.Errorf("%s: text %q", p.ID, p.Text)
		}
		if n := len(strings.Fields(p.Text)); n > 140 || n < 6 && p.Topic != "other" {
			t.Errorf("%s: %d words, want 6 to 140", p.ID, n)
		}
	}
}

func TestCounts(t *testing.T) {
	list := read(t)
	groups, writers := map[string]bool{}, map[string]bool{}
	topic, stance, both := map[string]int{}, map[string]int{}, map[[2]string]int{}
	for _, p := range list {
		groups[p.Group], writers[p.Writer] = true, true
		topic[p.Topic]++
		stance[p.Stance]++
		both[[2]string{p.Topic, p.Stance}]++
	}
	atLeast := func(what string, got, want int) {
		t.Helper()
		if got < want {
			t.Errorf("%s: %d, want at least %d", what, got, want)
		}
	}
	atLeast("paragraphs", len(list), 1800)
	atLeast("documents", len(groups), 180)
	atLeast("writers", len(writers), 24)
	for _, s := range stances {
		atLeast(s, stance[s], 420)
	}
	for _, x := range topics {
		atLeast(x, topic[x], 110)
		if x == "other" || x == "war_background" {
			continue
		}
		for _, s := range stances {
			atLeast(x+" "+s, both[[2]string{x, s}], 20)
		}
	}
}

// TestSplit wants every writer, and so every document, in one part.
func TestSplit(t *testing.T) {
	partOf := map[string]string{}
	size := map[string]int{}
	for _, p := range read(t) {
		if other, ok := partOf[p.Writer]; ok && other != p.part {
			t.Errorf("writer %s is in %s and %s", p.Writer, other, p.part)
		}
		partOf[p.Writer] = p.part
		size[p.part]++
	}
	for _, part := range parts {
		if size[part] < 150 {
			t.Errorf("%s has %d paragraphs, want at least 150", part, size[part])
		}
	}
}

var wordPattern = regexp.MustCompile(`[\pL\pN'’]+`)

// grams returns the sequences of n words of a text, each once.
func grams(text string, n int) []string {
	words := wordPattern.FindAllString(strings.ToLower(text), -1)
	var list []string
	for i := range max(0, len(words)-n+1) {
		list = append(list, strings.Join(words[i:i+n], " "))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// TestNoNearDuplicates compares texts by their shingles of three words. Broder,
// "On the resemblance and containment of documents" (1997).
func TestNoNearDuplicates(t *testing.T) {
	list := read(t)
	holders := map[string][]int{}
	sizes := make([]int, len(list))
	for i, p := range list {
		shingles := grams(p.Text, 3)
		sizes[i] = len(shingles)
		shared := map[int]int{}
		for _, s := range shingles {
			for _, j := range holders[s] {
				shared[j]++
			}
			holders[s] = append(holders[s], i)
		}
		for j, n := range shared {
			if jaccard := float64(n) / float64(sizes[i]+sizes[j]-n); jaccard >= 0.3 {
				t.Errorf("%s and %s share %.0f%% of their shingles", list[j].ID, p.ID, 100*jaccard)
			}
		}
	}
}

// repetition returns the share of word 4-grams that occur in more than three
// documents.
func repetition(list []paragraph) float64 {
	documents := map[string]map[string]bool{}
	for _, p := range list {
		for _, g := range grams(p.Text, 4) {
			if documents[g] == nil {
				documents[g] = map[string]bool{}
			}
			documents[g][p.Group] = true
		}
	}
	common := 0
	for _, d := range documents {
		if len(d) > 3 {
			common++
		}
	}
	return float64(common) / float64(len(documents))
}

func TestLittleRepetition(t *testing.T) {
	list := read(t)
	if share := repetition(list); share > 0.003 {
		t.Errorf("%.2f%% of the word 4-grams occur in more than three documents, want at most 0.3%%", 100*share)
	}
	openings := map[string]int{}
	for _, p := range list {
		if words := wordPattern.FindAllString(strings.ToLower(p.Text), 4); len(words) == 4 && p.Topic != "other" {
			openings[strings.Join(words, " ")]++
		}
	}
	for _, o := range slices.Sorted(maps.Keys(openings)) {
		if openings[o] > 4 {
			t.Errorf("%d paragraphs begin with %q, want at most 4", openings[o], o)
		}
	}
}

// kappa is Cohen's: the agreement of two readers beyond that by chance. Cohen,
// "A Coefficient of Agreement for Nominal Scales" (1960).
func kappa(list []paragraph, task func(labels) string) (agreement, k float64) {
	first, second := map[string]float64{}, map[string]float64{}
	n := float64(len(list))
	for _, p := range list {
		a, b := task(p.First), task(p.Second)
		first[a]++
		second[b]++
		if a == b {
			agreement += 1 / n
		}
	}
	chance := 0.0
	for l, c := range first {
		chance += c / n * second[l] / n
	}
	return agreement, (agreement - chance) / (1 - chance)
}

// TestReadmeTables wants the tables of README.md to be those of the files.
func TestReadmeTables(t *testing.T) {
	list := read(t)
	b, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(b)
	for name, table := range map[string]string{"counts": countTable(list), "agreement": agreementTable(list), "parts": partTable(list), "repetition": repetitionLine(list)} {
		begin, end := "<!-- "+name+" -->\n", "<!-- /"+name+" -->\n"
		_, rest, ok := strings.Cut(readme, begin)
		old, _, closed := strings.Cut(rest, end)
		if !ok || !closed {
			t.Fatalf("README.md has no table between %q and %q", begin, end)
		}
		if old == table {
			continue
		}
		if !*update {
			t.Errorf("README.md: table %q is\n%swant\n%s", name, old, table)
		}
		readme = strings.Replace(readme, begin+old+end, begin+table+end, 1)
	}
	if *update {
		if err := os.WriteFile("README.md", []byte(readme), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func repetitionLine(list []paragraph) string {
	return fmt.Sprintf("Of the word 4-grams %.2f%% occur in more than three documents.\n", 100*repetition(list))
}

func countTable(list []paragraph) string {
	n := map[[2]string]int{}
	for _, p := range list {
		n[[2]string{p.Topic, p.Stance}]++
		n[[2]string{p.Topic, "all"}]++
		n[[2]string{"all", p.Stance}]++
		n[[2]string{"all", "all"}]++
	}
	var b strings.Builder
	columns := append(slices.Clone(stances), "all")
	fmt.Fprintf(&b, "| topic | %s |\n|---|%s\n", strings.Join(columns, " | "), strings.Repeat("---|", len(columns)))
	for _, x := range append(slices.Clone(topics), "all") {
		fmt.Fprintf(&b, "| `%s` |", x)
		for _, c := range columns {
			fmt.Fprintf(&b, " %d |", n[[2]string{x, c}])
		}
		fmt.Fprintln(&b)
	}
	return b.String()
}

func agreementTable(list []paragraph) string {
	var b strings.Builder
	fmt.Fprintln(&b, "| task | same label | Cohen's kappa |\n|---|---|---|")
	for _, task := range []struct {
		name string
		of   func(labels) string
	}{
		{"topic", func(l labels) string { return l.Topic }},
		{"stance", func(l labels) string { return l.Stance }},
		{"voice", func(l labels) string { return l.Voice }},
	} {
		agreement, k := kappa(list, task.of)
		fmt.Fprintf(&b, "| %s | %.3f | %.3f |\n", task.name, agreement, k)
	}
	return b.String()
}

func partTable(list []paragraph) string {
	var b strings.Builder
	fmt.Fprintln(&b, "| file | paragraphs | documents | writers |\n|---|---|---|---|")
	for _, part := range parts {
		n, groups, writers := 0, map[string]bool{}, map[string]bool{}
		for _, p := range list {
			if p.part == part {
				n++
				groups[p.Group], writers[p.Writer] = true, true
			}
		}
		fmt.Fprintf(&b, "| `%s.jsonl` | %d | %d | %d |\n", part, n, len(groups), len(writers))
	}
	return b.String()
}
