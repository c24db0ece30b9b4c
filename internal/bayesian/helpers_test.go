package bayesian

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"math"
	"math/bits"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A libraryModel and libraryClass encode to what the library writes.
type libraryModel struct {
	Classes         []string
	Learned, Seen   int
	Datas           map[string]*libraryClass
	TfIdf           bool
	DidConvertTfIdf bool
}

type libraryClass struct {
	Freqs   map[string]float64
	FreqTfs map[string][]float64
	Total   int
}

// prob, logScores and probScores are the library's formulas over its own maps.
func (c *libraryClass) prob(word string) float64 {
	if n, ok := c.Freqs[word]; ok {
		return n / float64(c.Total)
	}
	return 1e-11
}

func (m *libraryModel) priors() (shares []float64) {
	sum := 0
	for _, name := range m.Classes {
		shares = append(shares, float64(m.Datas[name].Total))
		sum += m.Datas[name].Total
	}
	for i := range shares {
		if sum != 0 {
			shares[i] /= float64(sum)
		}
	}
	return shares
}

func (m *libraryModel) logScores(words []string) (scores []float64) {
	for i, prior := range m.priors() {
		score := math.Log(prior)
		for _, w := range words {
			score += math.Log(m.Datas[m.Classes[i]].prob(w))
		}
		scores = append(scores, score)
	}
	return scores
}

func (m *libraryModel) probScores(words []string) (scores []float64) {
	sum := 0.0
	for i, prior := range m.priors() {
		for _, w := range words {
			prior *= m.Datas[m.Classes[i]].prob(w)
		}
		scores = append(scores, prior)
		sum += prior
	}
	for i := range scores {
		scores[i] /= sum
	}
	return scores
}

// learn and convert train as the library does.
func (m *libraryModel) learn(words []string, class string) {
	data := m.Datas[class]
	for _, w := range slices.Compact(slices.Sorted(slices.Values(words))) {
		n := 0
		for _, other := range words {
			if other == w {
				n++
			}
		}
		data.Freqs[w] += float64(n)
		if m.TfIdf {
			data.FreqTfs[w] = append(data.FreqTfs[w], float64(n)/float64(len(words)))
		}
	}
	data.Total += len(words)
	m.Learned++
}

func (m *libraryModel) convert() {
	for _, data := range m.Datas {
		for w, tfs := range data.FreqTfs {
			data.Freqs[w] = 0
			for i, tf := range tfs {
				tfs[i] = math.Log1p(tf) * math.Log1p(float64(m.Learned)/float64(data.Total))
				data.Freqs[w] += tfs[i]
			}
		}
	}
	m.DidConvertTfIdf = true
}

func newLibraryModel(tfIdf bool, classes ...string) *libraryModel {
	m := &libraryModel{Classes: classes, TfIdf: tfIdf, Datas: map[string]*libraryClass{}}
	for _, name := range classes {
		m.Datas[name] = &libraryClass{Freqs: map[string]float64{}, FreqTfs: map[string][]float64{}}
	}
	return m
}

// randomModel has short words, so that classes share them, and at times none.
func randomModel(random *rand.Rand) *libraryModel {
	m := newLibraryModel(random.IntN(2) == 1, []string{"b", "a", "çà", "d"}[:2+random.IntN(3)]...)
	for range random.IntN(8) {
		m.learn(randomWords(random, 1+random.IntN(12)), m.Classes[random.IntN(len(m.Classes))])
	}
	if random.IntN(3) == 0 {
		n := random.IntN(1000)
		data := m.Datas[m.Classes[0]]
		data.Freqs["observed"] += float64(n)
		data.Total += n
	}
	if random.IntN(2) == 1 {
		m.convert()
	}
	m.Seen = int(int32(random.Uint32()))
	return m
}

func randomWords(random *rand.Rand, n int) (words []string) {
	for range n {
		words = append(words, strings.Repeat("xyz", random.IntN(2))+string(rune('a'+random.IntN(20))))
	}
	return words
}

func encode(t testing.TB, value any) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(value); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// The parts of gob as gob.go describes them.

func u(n uint64) string {
	if n < 0x80 {
		return string([]byte{byte(n)})
	}
	size := (bits.Len64(n) + 7) / 8
	b := []byte{byte(-size)}
	for i := size - 1; i >= 0; i-- {
		b = append(b, byte(n>>(8*i)))
	}
	return string(b)
}

func i(n int64) string {
	if n < 0 {
		return u(uint64(^n)<<1 | 1)
	}
	return u(uint64(n) << 1)
}

func fl(x float64) string { return u(bits.ReverseBytes64(math.Float64bits(x))) }

func str(s string) string { return u(uint64(len(s))) + s }

func msg(parts ...string) string { return str(strings.Join(parts, "")) }

// head is the first field of a definition: a name and an id.
func head(name string, id int64) string {
	return "\x01" + "\x01" + str(name) + "\x01" + i(id) + "\x00"
}

func sliceOf(id int64, name string, elem int64) string {
	return msg(i(-id), "\x02", head(name, id), "\x01", i(elem), "\x00", "\x00")
}

func mapOf(id int64, name string, key, elem int64) string {
	return msg(i(-id), "\x04", head(name, id), "\x01", i(key), "\x01", i(elem), "\x00", "\x00")
}

type member struct {
	name string
	id   int64
}

func structOf(id int64, name string, members ...member) string {
	fields := u(uint64(len(members)))
	for _, f := range members {
		fields += "\x01" + str(f.name) + "\x01" + i(f.id) + "\x00"
	}
	return msg(i(-id), "\x03", head(name, id), "\x01", fields, "\x00", "\x00")
}

// The types of a file; the ids differ from run to run of the library.
var (
	modelType = structOf(65, "serializableClassifier", member{"Classes", 66}, member{"Learned", 2},
		member{"Seen", 2}, member{"Datas", 67}, member{"TfIdf", 1}, member{"DidConvertTfIdf", 1})
	classType  = structOf(68, "", member{"Freqs", 69}, member{"FreqTfs", 70}, member{"Total", 2})
	otherTypes = sliceOf(66, "[]bayesian.Class", 6) + mapOf(67, "map[bayesian.Class]*bayesian.classData", 6, 68) +
		mapOf(69, "map[string]float64", 6, 4) + mapOf(70, "map[string][]float64", 6, 71) + sliceOf(71, "[]float64", 4)
	allTypes = modelType + otherTypes + classType
)

// testdata returns files of the library by path, models and classes apart.
func testdata(t testing.TB) (models, classes map[string][]byte) {
	t.Helper()
	read := func(pattern string) map[string][]byte {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Fatalf("no %s: %v", pattern, err)
		}
		files := map[string][]byte{}
		for _, path := range paths {
			if files[path], err = os.ReadFile(path); err != nil {
				t.Fatal(err)
			}
		}
		return files
	}
	return read("testdata/*.gob"), read("testdata/per-class/*")
}

func readFile(t testing.TB, path string) *Classifier {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	c, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func readJSON(t testing.TB, path string, value any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, value); err != nil {
		t.Fatal(err)
	}
}

// checkAgainstGob fails unless c is what encoding/gob reads from file, and
// answers as the library would.
func checkAgainstGob(t testing.TB, file []byte, c *Classifier) {
	t.Helper()
	var want libraryModel
	if err := gob.NewDecoder(bytes.NewReader(file)).Decode(&want); err != nil {
		t.Fatalf("encoding/gob: %v", err)
	}
	if !slices.Equal(c.Classes(), want.Classes) || c.documents != int64(want.Learned) {
		t.Fatalf("classes %q, %d documents, want %q, %d", c.Classes(), c.documents, want.Classes, want.Learned)
	}
	var text []string
	for i, class := range c.classes {
		data := want.Datas[want.Classes[i]]
		checkClass(t, class, data)
		for _, w := range class.words[:min(len(class.words), 3)] {
			text = append(text, w.text)
		}
		checkAnswers(t, c, &want, text)
		text = append(text, "unheard of")
	}
	checkAnswers(t, c, &want, slices.Repeat(text, 20))
}

func checkClass(t testing.TB, c *Class, want *libraryClass) {
	t.Helper()
	if c.total != int64(want.Total) || len(c.words) != len(want.Freqs) {
		t.Fatalf("class %q: %d words, total %d, want %d, %d", c.name, len(c.words), c.total, len(want.Freqs), want.Total)
	}
	for _, w := range c.words {
		if n, ok := want.Freqs[w.text]; !ok || n != w.frequency {
			t.Fatalf("class %q: word %q: frequency %v, want %v", c.name, w.text, w.frequency, n)
		}
	}
	samples := 0
	for _, tfs := range want.FreqTfs {
		samples += len(tfs)
	}
	if c.samples != int64(samples) {
		t.Fatalf("class %q: %d term frequencies, want %d", c.name, c.samples, samples)
	}
}

func checkAnswers(t testing.TB, c *Classifier, want *libraryModel, words []string) {
	t.Helper()
	if c.Kind() != Unconverted {
		checkScores(t, c.LogScores(words), want.logScores(words))
		checkScores(t, c.ProbScores(words), want.probScores(words))
	}
	checkSafe(t, c, words)
}

func checkScores(t testing.TB, a Answer, want []float64) {
	t.Helper()
	same := func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }
	if !slices.EqualFunc(a.Scores, want, same) {
		t.Fatalf("scores %v, want %v", a.Scores, want)
	}
	best, equal := 0, 0
	for i, score := range want {
		if score > want[best] {
			best = i
		}
	}
	for _, score := range want {
		if score == want[best] {
			equal++
		}
	}
	if a.Best != best || a.Strict != (equal <= 1) && !slices.ContainsFunc(want, math.IsNaN) {
		t.Fatalf("best %d, strict %v of %v, want %d, %v", a.Best, a.Strict, want, best, equal <= 1)
	}
}

// checkSafe fails unless the safe answer is a distribution, and that of
// ProbScores where it is defined and no frequency is 0.
func checkSafe(t testing.TB, c *Classifier, words []string) {
	t.Helper()
	safe, unsafe := c.SafeProbabilities(words), c.ProbScores(words)
	sum := 0.0
	for _, p := range safe.Scores {
		sum += p
		if !(p >= 0 && p <= 1) {
			t.Fatalf("probabilities %v of %.200q", safe.Scores, words)
		}
	}
	if math.Abs(sum-1) > 1e-9 || !safe.Defined() {
		t.Fatalf("probabilities %v of %.200q", safe.Scores, words)
	}
	if !unsafe.Defined() || anyZero(c, words) {
		return
	}
	for i, p := range unsafe.Scores {
		if math.Abs(p-safe.Scores[i]) > 1e-9 {
			t.Fatalf("probabilities %v of %.200q, the library's %v", safe.Scores, words, unsafe.Scores)
		}
	}
}

func anyZero(c *Classifier, words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool {
		return slices.ContainsFunc(c.classes, func(class *Class) bool {
			n, found := class.find(w)
			return found && n == 0
		})
	})
}
