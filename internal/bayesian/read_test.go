package bayesian

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"testing/iotest"
)

// small returns a model of two classes.
func small() *libraryModel {
	m := newLibraryModel(false, "pro", "con")
	m.learn([]string{"yes", "we", "can"}, "pro")
	m.learn([]string{"no", "we", "no"}, "con")
	return m
}

func TestDamagedModels(t *testing.T) {
	weighted := func(m *libraryModel) {
		m.Datas["pro"].FreqTfs["can"] = []float64{0.1}
		m.Datas["pro"].Freqs["can"] = 0.25
	}
	for _, c := range []struct {
		damage func(*libraryModel)
		want   string
	}{
		{func(m *libraryModel) { m.Classes = nil }, "want at least 2 classes, not 0"},
		{func(m *libraryModel) { m.Classes = m.Classes[:1] }, "want at least 2 classes, not 1"},
		{func(m *libraryModel) { m.Classes[1] = "pro" }, `class "pro" is there twice`},
		{func(m *libraryModel) { m.Classes[1] = "" }, "a class without a name"},
		{func(m *libraryModel) { m.Classes[1] = "c\xfe" }, `the name of class "c\xfe" is not UTF-8`},
		{func(m *libraryModel) { delete(m.Datas, "con") }, `class "con" has no words: the file lists it and nothing more`},
		{func(m *libraryModel) { m.Datas = nil }, `class "pro" has no words: the file lists it and nothing more`},
		{func(m *libraryModel) { m.Datas[""] = m.Datas["con"] }, "a class without a name"},
		{func(m *libraryModel) { m.Learned = -1 }, "-1 documents learned: want 0 to 9007199254740992"},
		{func(m *libraryModel) { m.Datas["con"].Total = -1 }, `class "con": -1 words learned: want 0 to 9007199254740992`},
		{func(m *libraryModel) { m.Datas["con"].Total = 1<<53 + 1 }, `class "con": 9007199254740993 words learned: want 0 to 9007199254740992`},
		{func(m *libraryModel) { m.Datas["con"].Total++ }, `class "con": the frequencies add up to 3, of 4 words learned`},
		{func(m *libraryModel) { m.Datas["con"].Total-- }, `class "con": word "we": its frequency 1 brings the sum to 3, of 2 words learned`},
		{func(m *libraryModel) { m.Datas["con"].Freqs["no"] = 1.5 }, `class "con": word "no": frequency 1.5 is not a whole number`},
		{func(m *libraryModel) { m.Datas["con"].Freqs["no"] = -1 }, `class "con": word "no": frequency -1: want 0 to 9007199254740992`},
		{func(m *libraryModel) { m.Datas["con"].Freqs["no"] = math.NaN() }, `class "con": word "no": frequency NaN: want 0 to 9007199254740992`},
		{func(m *libraryModel) { m.Datas["con"].Freqs["no"] = math.Inf(1) }, `class "con": word "no": frequency +Inf: want 0 to 9007199254740992`},
		{func(m *libraryModel) { m.Datas["con"].Freqs["no"] = 1 << 54 }, `class "con": word "no": frequency 1.8014398509481984e+16: want 0 to 9007199254740992`},
		{func(m *libraryModel) { m.Datas["con"].Freqs["n\xff"] = 0 }, `class "con": word "n\xff": it is not UTF-8`},
		{func(m *libraryModel) {
			for _, data := range m.Datas {
				data.Freqs, data.Total = map[string]float64{"w": 1 << 53}, 1<<53
			}
		}, "more than 9007199254740992 words learned"},
		{func(m *libraryModel) { m.Datas["con"].FreqTfs["no"] = make([]float64, 4) }, `class "con": 4 term frequencies in 3 words learned`},
		{func(m *libraryModel) { m.Datas["con"].FreqTfs["yes"] = []float64{1} }, `class "con": word "yes" has term frequencies, and no frequency`},
		{func(m *libraryModel) { weighted(m); m.Datas["pro"].Freqs["yes"] = 0.5 }, `class "pro": word "yes": frequency 0.5 is not a whole number`},
		{func(m *libraryModel) { m.TfIdf = true; weighted(m) },
			`class "pro": word "can": frequency 0.25 is not a whole number, though the model is not converted to tf-idf`},
		{func(m *libraryModel) { m.Datas["pro"].Freqs["can"] = 0.25; m.TfIdf, m.DidConvertTfIdf = true, true },
			`class "pro": word "can": frequency 0.25 is not a whole number`},
	} {
		m := small()
		c.damage(m)
		got, err := Read(bytes.NewReader(encode(t, m)))
		want := "not a readable model file of bayesian: " + c.want
		if got != nil || !errors.Is(err, ErrFormat) || err.Error() != want {
			t.Errorf("error\n%v, want\n%s", err, want)
		}
	}
}

func TestRandomModels(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 9))
	kinds := map[Kind]int{}
	for range 500 {
		m := randomModel(random)
		file := encode(t, m)
		c, err := Read(bytes.NewReader(file))
		if err != nil {
			t.Fatalf("%v in %+v", err, m)
		}
		kinds[c.Kind()]++
		checkAgainstGob(t, file, c)
		for range 10 {
			checkAnswers(t, c, m, randomWords(random, random.IntN(40)))
		}
		checkByClass(t, m, c)
	}
	if len(kinds) != 3 {
		t.Errorf("kinds of models %v: want all three", kinds)
	}
}

// checkByClass fails unless the files of the classes make the same model, but
// for what they do not say.
func checkByClass(t *testing.T, m *libraryModel, want *Classifier) {
	t.Helper()
	var classes []*Class
	for _, name := range m.Classes {
		class, err := ReadClass(name, bytes.NewReader(encode(t, m.Datas[name])))
		if err != nil {
			t.Fatal(err)
		}
		classes = append(classes, class)
	}
	got, err := New(classes...)
	if err != nil {
		t.Fatal(err)
	}
	gotCounts, gotErr := got.Counts()
	wantCounts, wantErr := want.Counts()
	wantCounts.Documents = 0
	if fmt.Sprint(gotCounts, gotErr) != fmt.Sprint(wantCounts, wantErr) {
		t.Fatalf("counts by class %v, %v, want %v, %v", gotCounts, gotErr, wantCounts, wantErr)
	}
	if (got.Kind() == Converted) != (want.Kind() == Converted) {
		t.Fatalf("by class it is %v, want %v", got.Kind(), want.Kind())
	}
}

func TestKinds(t *testing.T) {
	for _, c := range []struct {
		train func(m *libraryModel)
		tfIdf bool
		want  Kind
	}{
		{func(m *libraryModel) {}, false, Plain},
		{func(m *libraryModel) { m.convert() }, false, Plain}, // which changes nothing
		{func(m *libraryModel) {}, true, Unconverted},
		{func(m *libraryModel) { m.convert() }, true, Plain}, // it has no frequencies to convert
		{func(m *libraryModel) { m.learn([]string{"w", "v"}, "a") }, true, Unconverted},
		{func(m *libraryModel) { m.learn([]string{"w", "v"}, "a"); m.convert() }, true, Converted},
		// A converted class that was read into a plain model.
		{func(m *libraryModel) { m.learn([]string{"w", "v"}, "a"); m.convert(); m.TfIdf = false }, true, Converted},
	} {
		m := newLibraryModel(c.tfIdf, "a", "b")
		c.train(m)
		got, err := Read(bytes.NewReader(encode(t, m)))
		if err != nil || got.Kind() != c.want {
			t.Errorf("%+v: %v, error %v, want %v", m, got.Kind(), err, c.want)
		}
	}
}

func TestUnlisted(t *testing.T) {
	m := small()
	m.Datas["z"], m.Datas["y"] = m.Datas["pro"], m.Datas["con"]
	file := encode(t, m)
	c, err := Read(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	checkAgainstGob(t, file, c)
	if got := c.Unlisted(); !slices.Equal(got, []string{"y", "z"}) {
		t.Errorf("unlisted %q, want y and z", got)
	}
}

// The library leaves the end of a longer file that it writes over.
func TestBytesAfterTheValue(t *testing.T) {
	models, _ := testdata(t)
	for path, file := range models {
		want := readFile(t, path)
		for _, rest := range [][]byte{{0}, file, file[len(file)/2:], []byte("\xff\xff\xff")} {
			c, err := Read(bytes.NewReader(slices.Concat(file, rest)))
			if err != nil || fmt.Sprint(c.Counts()) != fmt.Sprint(want.Counts()) {
				t.Errorf("%s and %d bytes: error %v", path, len(rest), err)
			}
		}
	}
}

func TestOtherSortOfFile(t *testing.T) {
	want := "not a readable model file of bayesian: it holds a class where a model is wanted, or the other way round: classes are read from their folder"
	models, classes := testdata(t)
	for path, file := range models {
		if _, err := ReadClass("c", bytes.NewReader(file)); err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %s", path, err, want)
		}
	}
	for path, file := range classes {
		if _, err := Read(bytes.NewReader(file)); err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %s", path, err, want)
		}
	}
}

func TestLimits(t *testing.T) {
	file := encode(t, small())
	enough := limits{int64(len(file)), 2, 5, 3, 3} // we is a word of both classes
	if _, err := read(bytes.NewReader(file), &enough); err != nil {
		t.Errorf("at all limits: %v", err)
	}
	for _, c := range []struct {
		l    limits
		want string
	}{
		{limits{int64(len(file) - 1), 2, 5, 3, 3}, fmt.Sprintf("more than the %d bytes that may be read", len(file)-1)},
		{limits{int64(len(file)), 1, 5, 3, 3}, "2 classes: want at most 1"},
		{limits{int64(len(file)), 2, 5, 2, 3}, "the name of a class of 3 bytes: want at most 2"},
		{limits{int64(len(file)), 2, 5, 3, 2}, "a word of 3 bytes: want at most 2"},
	} {
		_, err := read(bytes.NewReader(file), &c.l)
		if !errors.Is(err, ErrFormat) || !strings.HasSuffix(err.Error(), c.want) {
			t.Errorf("error %v, want %s", err, c.want)
		}
	}
	fewer := limits{int64(len(file)), 2, 4, 3, 3} // either class may come first
	if _, err := read(bytes.NewReader(file), &fewer); err == nil || !strings.Contains(err.Error(), " words, of which ") {
		t.Errorf("4 words: error %v", err)
	}
}

// A word with term frequencies counts twice.
func TestLimitOfSampledWords(t *testing.T) {
	m := newLibraryModel(true, "pro", "con")
	m.learn([]string{"yes", "we", "can"}, "pro")
	file := encode(t, m)
	if _, err := read(bytes.NewReader(file), &limits{int64(len(file)), 2, 6, 3, 3}); err != nil {
		t.Errorf("at all limits: %v", err)
	}
	_, err := read(bytes.NewReader(file), &limits{int64(len(file)), 2, 5, 3, 3})
	if want := `class "pro": 3 words, of which 2 may be read`; !errors.Is(err, ErrFormat) || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestLimitsOfFolder(t *testing.T) {
	folder := os.DirFS("testdata/per-class")
	const bytes, words = 1058, 73
	if _, err := readClasses(folder, &limits{bytes, 3, words, 9, 10}); err != nil {
		t.Errorf("at all limits: %v", err)
	}
	for _, c := range []struct {
		l    limits
		want string
	}{
		{limits{bytes - 1, 3, words, 9, 10}, `file "skeptical": not a readable model file of bayesian: more than the 396 bytes that may be read`},
		{limits{bytes, 2, words, 9, 10}, "not a readable model file of bayesian: 3 files: want at most 2 classes"},
		{limits{bytes, 3, words - 1, 9, 10}, `file "skeptical": not a readable model file of bayesian: class "skeptical": 30 words, of which 29 may be read`},
	} {
		if _, err := readClasses(folder, &c.l); !errors.Is(err, ErrFormat) || err.Error() != c.want {
			t.Errorf("error\n%v, want\n%s", err, c.want)
		}
	}
}

func TestFolders(t *testing.T) {
	_, files := testdata(t)
	good := &fstest.MapFile{Data: files["testdata/per-class/neutral"]}
	for _, c := range []struct {
		folder fstest.MapFS
		want   string
	}{
		{fstest.MapFS{"b": good, "a": good}, ""},
		{fstest.MapFS{}, "not a readable model file of bayesian: want at least 2 classes, not 0"},
		{fstest.MapFS{"a": good}, "not a readable model file of bayesian: want at least 2 classes, not 1"},
		{fstest.MapFS{"a": good, "b": good, "c/d": good}, `not a readable model file of bayesian: "c" is not a regular file: want a folder of one file a class`},
		{fstest.MapFS{"a": good, "b": {Mode: fs.ModeNamedPipe}}, `not a readable model file of bayesian: "b" is not a regular file: want a folder of one file a class`},
		{fstest.MapFS{"a": good, "b\n": {}}, `file "b\n": not a readable model file of bayesian: it ends too early`},
	} {
		m, err := ReadClasses(c.folder)
		if c.want == "" {
			if err != nil || !slices.Equal(m.Classes(), slices.Sorted(maps.Keys(c.folder))) {
				t.Errorf("%v: error %v", c.folder, err)
			}
		} else if m != nil || !errors.Is(err, ErrFormat) || err.Error() != c.want {
			t.Errorf("error\n%v, want\n%s", err, c.want)
		}
	}
	if _, err := ReadClasses(os.DirFS("testdata/none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: error %v", err)
	}
}

func TestErrorsOfReader(t *testing.T) {
	broken := errors.New("broken")
	if _, err := Read(iotest.ErrReader(broken)); !errors.Is(err, broken) || errors.Is(err, ErrFormat) {
		t.Errorf("error %v, want %v", err, broken)
	}
	if _, err := ReadClass("a", iotest.ErrReader(broken)); !errors.Is(err, broken) || errors.Is(err, ErrFormat) {
		t.Errorf("error %v, want %v", err, broken)
	}
	for _, name := range []string{"", "a\xff"} {
		if _, err := ReadClass(name, iotest.ErrReader(broken)); !errors.Is(err, ErrFormat) {
			t.Errorf("class %q: error %v", name, err)
		}
	}
	models, _ := testdata(t)
	for path, file := range models {
		if _, err := Read(iotest.OneByteReader(bytes.NewReader(file))); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}
