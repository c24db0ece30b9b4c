package bayesian

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"math"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
)

// spelled is a whole file: two classes, one without words.
var spelled = allTypes + msg(i(65),
	"\x01", u(2), str("pro"), str("con"), // Classes
	"\x01", i(3), // Learned
	"\x02", u(2), // Datas; Seen is 0
	str("pro"),
	"\x01", u(2), str("yes"), fl(2), str("we"), fl(1), // Freqs
	"\x01", u(0), // FreqTfs
	"\x01", i(3), "\x00", // Total
	str("con"), "\x01", u(0), "\x01", u(0), "\x00",
	"\x00") // TfIdf and DidConvertTfIdf are false

func TestSpelledFile(t *testing.T) {
	c, err := Read(strings.NewReader(spelled))
	if err != nil {
		t.Fatal(err)
	}
	counts, err := c.Counts()
	want := "{[{pro [{we 1} {yes 2}] 3} {con [] 0}] 3}"
	if got := fmt.Sprint(counts); got != want || err != nil {
		t.Errorf("counts %s, error %v, want %s", got, err, want)
	}
	checkAgainstGob(t, []byte(spelled), c)
}

func TestNumbers(t *testing.T) {
	for _, n := range []int64{0, 1, -1, 63, 64, -64, -65, 127, 128, 255, 256, -256, 1 << 40, math.MaxInt64, math.MinInt64} {
		s := stream{rest: i(n) + u(uint64(n)) + fl(float64(n))}
		if a, b, c := s.int(), s.uint(), s.float(); a != n || b != uint64(n) || c != float64(n) || s.err != nil || s.rest != "" {
			t.Errorf("%d: read %d, %d, %v, error %v, %d bytes left", n, a, b, c, s.err, len(s.rest))
		}
	}
}

// The numbers of the comment in gob.go.
func TestNumbersOfTheComment(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{u(706), "\xfe\x02\xc2"},
		{i(9), "\x12"},
		{i(-9), "\x11"},
		{fl(1), "\xfe\xf0\x3f"},
	} {
		if c.got != c.want {
			t.Errorf("got % x, want % x", c.got, c.want)
		}
	}
}

func TestDamagedStreams(t *testing.T) {
	model := func(value ...string) string { return allTypes + msg(i(65), strings.Join(value, "")) }
	classes := "\x01" + u(2) + str("a") + str("b")
	data := func(value ...string) string {
		return model(classes, "\x03", u(2), str("a"), strings.Join(value, ""), "\x00", str("b"), "\x00", "\x00")
	}
	for _, c := range []struct{ file, want string }{
		{"", "it ends too early"},
		{"From here on it is no model: just a text that is long enough for the message that its first byte asks for.", `no field "Classes"`},
		{"\x80", "a number of 128 bytes: want at most 8"},
		{u(math.MaxUint64), "it ends too early"},
		{allTypes, "it ends too early"},
		{u(0), "it ends too early"},

		// Definitions.
		{sliceOf(66, "", 6) + sliceOf(66, "", 6), "type 66 is defined twice"},
		{sliceOf(63, "", 6), "type 63 is defined twice"},
		{msg(i(math.MinInt64), "\x02", "\x00", "\x00"), "type -9223372036854775808 is defined twice"},
		{msg(i(-66), "\x02", "\x00", "\x00", "more"), "4 bytes after the definition of a type"},
		{msg(i(-66), "\x01", "\x00", "\x00"), "a type that is no slice, map or struct"},
		{msg(i(-66), "\x00"), "a type that is no slice, map or struct"},
		{msg(i(-66), "\x02", "\x00", "\x02", "\x00", "\x00"), "a type of two kinds"},
		{msg(i(-66), "\x08"), "a field beyond the last of 7"},
		{msg(i(-66), "\x03", "\x02", u(65), strings.Repeat("\x00", 65), "\x00", "\x00"), "a struct of 65 fields: want at most 64"},
		{msg(i(-66), "\x03", "\x02", u(1<<60)), "1152921504606846976 fields in 0 bytes"},
		{sliceOf(66, strings.Repeat("x", 1025), 6), "a name of 1025 bytes: want at most 1024"},
		{manyTypes(65), "more than 64 types"},

		// Types that are not those of the library.
		{manyTypes(1) + msg(i(100), "\x00"), `no field "Classes"`},
		{msg(i(6), "\x00", str("text")), `no field "Classes"`},
		{structOf(65, "", member{"Classes", 6}) + msg(i(65), "\x00"), `field "Classes" is string: want []string`},
		{structOf(65, "", member{"Classes", 66}) + sliceOf(66, "", 66) + msg(i(65), "\x00"), `field "Classes" is [][][][]...: want []string`},
		{structOf(65, "", member{"Classes", 66}) + mapOf(66, "", 66, 99) + msg(i(65), "\x00"),
			`field "Classes" is map[map[map[map[...]...]type 99]type 99]type 99: want []string`},
		{structOf(65, "", member{"Learned", 99}) + msg(i(65), "\x00"), `field "Learned" is type 99: want int`},
		{structOf(65, "", member{"Learned", 2}, member{"Learned", 2}) + msg(i(65), "\x00"), `field "Learned": not one of the library, or there twice`},
		{structOf(65, "", member{"", 2}) + msg(i(65), "\x00"), `field "": not one of the library, or there twice`},

		// Values.
		{model("\x07"), "a field beyond the last of 6"},
		{model(u(1 << 63)), "a field beyond the last of 6"},
		{model("\x01", u(5), str("a")), "5 classes in 2 bytes"},
		{model("\x01", u(2), str("a"), u(1<<40)), "the name of a class of 1099511627776 bytes: want at most 1024"},
		{model("\x01", u(1), str("a")), "it ends too early"},
		{model("\x04", u(1<<62)), "4611686018427387904 classes in 0 bytes"},
		{data("\x01", u(1<<62)), `class "a": 4611686018427387904 words in 5 bytes`},
		{data("\x01", u(1), u(1<<33)), `class "a": a word of 8589934592 bytes: want at most 65536`},
		{data("\x02", u(1<<50)), `class "a": 1125899906842624 words in 5 bytes`},
		{data("\x02", u(1), str("w"), u(1<<50)), `class "a": 1125899906842624 term frequencies in 5 bytes`},
		{data("\x01", u(2), str("w"), fl(1), str("w"), fl(2), "\x02", i(3)), `class "a": word "w" is there twice`},
		{data("\x02", u(1), str("w"), u(0), "\x01", i(1)), `class "a": word "w": an empty list of term frequencies`},
		{data("\x01", u(1), str("w"), fl(2), "\x01", u(2), str("w"), u(1), fl(1), str("w"), u(1), fl(1), "\x01", i(2)),
			`class "a": word "w" has term frequencies twice`},
		{model(classes, "\x03", u(2), str("a"), "\x00", str("a"), "\x00", "\x00"), `class "a" has words twice`},
	} {
		m, err := Read(strings.NewReader(c.file))
		want := "not a readable model file of bayesian: " + c.want
		if m != nil || !errors.Is(err, ErrFormat) || err.Error() != want {
			t.Errorf("%.200q: error\n%v, want\n%s", c.file, err, want)
		}
	}
}

func manyTypes(n int) (file string) {
	for id := range n {
		file += sliceOf(int64(100+id), "", 6)
	}
	return file
}

// The order of types and fields and the numbers of types are the writer's
// business.
func TestAnyOrderOfTypes(t *testing.T) {
	file := classType + otherTypes +
		structOf(90, "model", member{"DidConvertTfIdf", 1}, member{"Datas", 67}, member{"Seen", 2},
			member{"TfIdf", 1}, member{"Learned", 2}, member{"Classes", 66}) +
		msg(i(90), "\x02", u(2), str("a"), "\x00", str("b"), "\x03", i(2), "\x02", u(1), str("w"), fl(2), "\x00", "\x04", u(2), str("b"), str("a"), "\x00")
	_, err := Read(strings.NewReader(file))
	if want := "a field beyond the last of 3"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("fields of a class out of order: error %v, want %s", err, want)
	}
	file = strings.Replace(file, "\x03"+i(2)+"\x02"+u(1)+str("w")+fl(2), "\x01"+u(1)+str("w")+fl(2)+"\x02"+i(2), 1)
	c, err := Read(strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	checkAgainstGob(t, []byte(file), c)
}

// Versions of the library before tf-idf have fewer fields.
func TestOlderVersions(t *testing.T) {
	type classData struct {
		Freqs map[string]float64
		Total int
	}
	type older struct {
		Classes       []string
		Learned, Seen int
		Datas         map[string]*classData
	}
	file := encode(t, older{[]string{"a", "b"}, 2, 1, map[string]*classData{"a": {map[string]float64{"w": 2}, 2}, "b": {}}})
	c, err := Read(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	checkAgainstGob(t, file, c)

	type counted struct {
		Freqs map[string]int
		Total int
	}
	file = encode(t, counted{map[string]int{"w": 2}, 2})
	_, err = ReadClass("a", bytes.NewReader(file))
	if want := `field "Freqs" is map[string]int: want map[string]float64`; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestEveryTruncationIsRefused(t *testing.T) {
	models, classes := testdata(t)
	models["spelled"] = []byte(spelled)
	for path, file := range models {
		for n := range file {
			if c, err := Read(bytes.NewReader(file[:n])); c != nil || !errors.Is(err, ErrFormat) {
				t.Errorf("%s: first %d bytes: error %v", path, n, err)
			}
		}
	}
	for path, file := range classes {
		for n := range file {
			if c, err := ReadClass("c", bytes.NewReader(file[:n])); c != nil || !errors.Is(err, ErrFormat) {
				t.Errorf("%s: first %d bytes: error %v", path, n, err)
			}
		}
	}
}

// A value that ends early within a message that does not: the message is made
// as long as what is left.
func TestEveryTruncatedValueIsRefused(t *testing.T) {
	value := spelled[len(allTypes):]
	length := u(uint64(len(value)))
	body := value[len(value)-int((&stream{rest: value}).uint()):]
	for n := range body {
		if c, err := Read(strings.NewReader(allTypes + str(body[:n]))); c != nil || !errors.Is(err, ErrFormat) {
			t.Errorf("first %d of %s bytes: error %v", n, length, err)
		}
	}
}

// Every third bit, so that all places in a byte have their turn. Some make
// another model: encoding/gob, which is slow to begin, reads every 20th.
func TestFlippedBits(t *testing.T) {
	models, classes := testdata(t)
	read, refused := 0, 0
	for path, file := range models {
		for bit := 0; bit < 8*len(file); bit += 3 {
			file[bit/8] ^= 1 << (bit % 8)
			if c, err := Read(bytes.NewReader(file)); err == nil {
				if read++; read%20 == 0 {
					checkAgainstGob(t, file, c)
				}
			} else if refused++; !errors.Is(err, ErrFormat) {
				t.Errorf("%s: bit %d: error %v", path, bit, err)
			}
			file[bit/8] ^= 1 << (bit % 8)
		}
	}
	for path, file := range classes {
		for bit := 0; bit < 8*len(file); bit += 3 {
			file[bit/8] ^= 1 << (bit % 8)
			if class, err := ReadClass("c", bytes.NewReader(file)); err == nil {
				if read++; read%20 == 0 {
					checkClassAgainstGob(t, file, class)
				}
			} else if refused++; !errors.Is(err, ErrFormat) {
				t.Errorf("%s: bit %d: error %v", path, bit, err)
			}
			file[bit/8] ^= 1 << (bit % 8)
		}
	}
	if read == 0 || refused == 0 {
		t.Errorf("%d files read, %d refused: want some of both", read, refused)
	}
}

func checkClassAgainstGob(t testing.TB, file []byte, c *Class) {
	t.Helper()
	var want libraryClass
	if err := gob.NewDecoder(bytes.NewReader(file)).Decode(&want); err != nil {
		t.Fatalf("encoding/gob: %v", err)
	}
	checkClass(t, c, &want)
}

// allocated returns the bytes that f allocates.
func allocated(f func()) int {
	before := allocations()
	f()
	return int(allocations() - before)
}

// allocations returns the bytes allocated so far, without stopping the world as
// runtime.ReadMemStats does.
func allocations() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// A file that claims much and holds little takes little memory. Some of these
// make encoding/gob run out of it.
func TestClaimsTakeNoMemory(t *testing.T) {
	datas := "\x04" + u(2) + str("a")
	for name, file := range map[string]string{
		"message":          u(1<<33) + "\x00",
		"fields":           msg(i(-66), "\x03", "\x02", u(1<<33), strings.Repeat("\x00", 100)),
		"classes":          allTypes + msg(i(65), "\x01", u(1<<33)),
		"classes with":     allTypes + msg(i(65), "\x04", u(1<<33)),
		"words":            allTypes + msg(i(65), datas, "\x01", u(1<<33), str("w"), fl(1)),
		"words, too many":  allTypes + msg(i(65), datas, "\x01", u(1<<62), str("w"), fl(1)),
		"word":             allTypes + msg(i(65), datas, "\x01", u(1), u(1<<33)),
		"sampled words":    allTypes + msg(i(65), datas, "\x02", u(1<<33), str("w")),
		"term frequencies": allTypes + msg(i(65), datas, "\x02", u(1), str("w"), u(1<<29)),
	} {
		taken := allocated(func() {
			if _, err := Read(strings.NewReader(file)); err == nil {
				t.Errorf("%s: no error", name)
			}
		})
		if taken > 1<<18 {
			t.Errorf("%s: %d bytes taken for a file of %d", name, taken, len(file))
		}
	}
}

// The densest of files: words of three bytes and counts of one.
func TestDenseFileTakesMemoryInProportion(t *testing.T) {
	const n = 1 << 16
	var words strings.Builder
	for w := range n {
		words.WriteString(string([]byte{3, byte(w >> 12), byte(w >> 6 & 63), byte(w & 63), 0}))
	}
	class := "\x01" + u(n) + words.String() + "\x00"
	file := allTypes + msg(i(65), "\x01", u(2), str("a"), str("b"), "\x03", u(2), str("a"), class, str("b"), class, "\x00")
	taken := allocated(func() {
		c, err := Read(strings.NewReader(file))
		if err != nil || len(c.classes[0].words) != n || !slices.IsSortedFunc(c.classes[0].words, func(a, b word) int { return strings.Compare(a.text, b.text) }) {
			t.Errorf("error %v", err)
		}
	})
	if taken > 12*len(file) {
		t.Errorf("%d bytes taken for a file of %d", taken, len(file))
	}
	t.Logf("%d bytes taken for a file of %d", taken, len(file))
}
