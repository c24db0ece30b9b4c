package model

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// An occurrence is a feature of a text, as Values asks for it.
type occurrence struct {
	words uint8
	count uint32
	idf   uint16
}

// valuesOf returns the values of a text's features.
func valuesOf(v Value, text []occurrence) []int32 {
	return v.Values(nil, len(text), func(i int) (uint8, uint32, uint16) { return text[i].words, text[i].count, text[i].idf })
}

// someText returns the features of a made-up text: mostly rare ones, some that
// occur often.
func someText(rng *rand.Rand, size int) []occurrence {
	text := make([]occurrence, size)
	for i := range text {
		count := uint32(1)
		if rng.IntN(4) == 0 {
			count += uint32(math.Exp(rng.Float64() * 16))
		}
		text[i] = occurrence{uint8(rng.IntN(families)), count, IDF(1<<20, rng.IntN(1<<20))}
	}
	return text
}

// formula is what a feature counts for before it is normalised, as the comments
// on the values define it.
func (o occurrence) formula(v Value) float64 {
	switch v {
	case TF:
		return float64(o.count)
	case TFIDF:
		return (1 + math.Log(float64(o.count))) * float64(o.idf) / (1 << IDFBits)
	}
	return 1
}

// normalise divides weights by the length that they have in their family.
func normalise(text []occurrence, weights []float64) []float64 {
	var squares [families]float64
	for i, w := range weights {
		squares[text[i].words] += w * w
	}
	normalised := make([]float64, len(weights))
	for i, w := range weights {
		normalised[i] = w / math.Sqrt(squares[text[i].words])
	}
	return normalised
}

func TestValueNames(t *testing.T) {
	for v, name := range []string{"binary", "tf", "binary-l2", "tfidf"} {
		parsed, err := ParseValue(name)
		if got := Value(v).String(); got != name || parsed != Value(v) || err != nil {
			t.Errorf("value %d is %q, and %q is value %d, %v", v, got, name, parsed, err)
		}
	}
	if got := Value(values).String(); got != "Value(4)" {
		t.Errorf("a value that there is not is %q", got)
	}
	const want = `value "TF": want one of [binary tf binary-l2 tfidf]`
	if _, err := ParseValue("TF"); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// What a value and a weight together count in is the unit of scores, at most.
func TestValueBits(t *testing.T) {
	for v, want := range []struct{ bits, weight uint8 }{{0, 20}, {0, 20}, {12, 8}, {12, 8}} {
		if bits, weight := Value(v).Bits(), Value(v).MaxWeightBits(); bits != want.bits || weight != want.weight {
			t.Errorf("%v: %d bits, with weights of at most %d; want %d and %d", Value(v), bits, weight, want.bits, want.weight)
		}
	}
}

func TestIDF(t *testing.T) {
	rng := rand.New(rand.NewPCG(20, 21))
	for range 10_000 {
		docs := int(math.Exp(rng.Float64() * 20))
		df := rng.IntN(docs + 1)
		want := 1 + math.Log((float64(docs)+1)/(float64(df)+1))
		if got := float64(IDF(docs, df)) / (1 << IDFBits); !(math.Abs(got-want) <= 0.5/(1<<IDFBits)+1e-12) {
			t.Fatalf("IDF(%d, %d) = %v, want %v", docs, df, got, want)
		}
	}
	for _, c := range []struct {
		docs, df int
		want     uint16
	}{
		{0, 0, 1 << IDFBits},
		{1, 1, 1 << IDFBits}, // a feature of all texts still counts
		{99, 99, 1 << IDFBits},
		{99, 0, 11479},               // 1 + ln 100 = 5.60517
		{99, 9, 6764},                // 1 + ln 10 = 3.302585
		{1 << 60, 0, math.MaxUint16}, // 1 + 41.6 would be 87220
	} {
		if got := IDF(c.docs, c.df); got != c.want {
			t.Errorf("IDF(%d, %d) = %d, want %d", c.docs, c.df, got, c.want)
		}
	}
	for df := range 1000 {
		if IDF(1000, df) < IDF(1000, df+1) {
			t.Errorf("IDF(1000, %d) = %d, less than that of a more frequent feature, %d", df, IDF(1000, df), IDF(1000, df+1))
		}
	}
}

// The weights before normalisation are the formula's: exactly but for TFIDF,
// whose logarithm is rounded to 2^-logBits and whose product is cut to a whole
// number.
func TestWeightsAgreeWithTheFormula(t *testing.T) {
	rng := rand.New(rand.NewPCG(22, 23))
	counts := []uint32{1, 2, 3, 254, 255, 256, 257, 1 << 16, math.MaxInt32, math.MaxUint32}
	for range 10_000 {
		counts = append(counts, 1+rng.Uint32N(1<<rng.IntN(32)))
	}
	for _, count := range counts {
		o := occurrence{1, count, uint16(1<<IDFBits + rng.IntN(math.MaxUint16-1<<IDFBits+1))}
		if got := Binary.weight(o.count, o.idf); got != 1 {
			t.Fatalf("binary: %+v weighs %d, want 1", o, got)
		}
		if got := BinaryL2.weight(o.count, o.idf); got != 1 {
			t.Fatalf("binary-l2: %+v weighs %d, want 1", o, got)
		}
		if got, want := TF.weight(o.count, o.idf), min(uint64(count), math.MaxInt32); got != want {
			t.Fatalf("tf: %+v weighs %d, want %d", o, got, want)
		}
		got, want := float64(TFIDF.weight(o.count, o.idf)), o.formula(TFIDF)*(1<<IDFBits)
		if slack := 0.5/(1<<logBits)*float64(o.idf) + 1; !(math.Abs(got-want) <= slack) || got < 1 || got >= 1<<21 {
			t.Fatalf("tfidf: %+v weighs %v, want %v within %v", o, got, want, slack)
		}
	}
	if got := TFIDF.weight(1, 1); got != 1 {
		t.Errorf("tfidf: the smallest weight is %d, want 1", got)
	}
}

// Values are the weights, those of the normalised ones divided by the length of
// their family, within half a unit.
func TestValuesAgreeWithAFloatReference(t *testing.T) {
	rng := rand.New(rand.NewPCG(24, 25))
	for i := range 400 {
		text := someText(rng, 1+rng.IntN(1<<(i%10)))
		for v := range Value(values) {
			weights := make([]float64, len(text))
			for k, o := range text {
				weights[k] = float64(v.weight(o.count, o.idf))
			}
			if v.normalised() {
				weights = normalise(text, weights)
			}
			for k, got := range valuesOf(v, text) {
				if want := math.Ldexp(weights[k], int(v.Bits())); !(math.Abs(float64(got)-want) <= 0.5+1e-6) {
					t.Fatalf("%v of %+v among %d: %d, want %v", v, text[k], len(text), got, want)
				}
			}
		}
	}
}

// The rounding of logarithms and weights hardly moves a normalised value: it
// changes the ratio of two weights by less than 1/200.
func TestValuesAgreeWithTheFormula(t *testing.T) {
	rng := rand.New(rand.NewPCG(26, 27))
	for i := range 400 {
		text := someText(rng, 1+rng.IntN(1<<(i%10)))
		for v := range Value(values) {
			weights := make([]float64, len(text))
			for k, o := range text {
				weights[k] = o.formula(v)
			}
			slack := 1e-6
			if v.normalised() {
				weights, slack = normalise(text, weights), 0.5
			}
			for k, got := range valuesOf(v, text) {
				want := math.Ldexp(weights[k], int(v.Bits()))
				if v == TFIDF && math.Abs(float64(got)-want) > slack+want/200 || v != TFIDF && math.Abs(float64(got)-want) > slack+1e-6 {
					t.Fatalf("%v of %+v among %d: %d, want %v", v, text[k], len(text), got, want)
				}
			}
		}
	}
}

// A text of any length has the length 1 in each family that occurs.
func TestNormsAreOne(t *testing.T) {
	rng := rand.New(rand.NewPCG(28, 29))
	for _, size := range []int{1, 2, 10, 1000, 20_000} {
		text := someText(rng, size)
		for _, v := range []Value{BinaryL2, TFIDF} {
			var squares, sum [families]float64
			var n [families]int
			for i, value := range valuesOf(v, text) {
				x := float64(value)
				squares[text[i].words] += x * x
				sum[text[i].words] += x
				n[text[i].words]++
			}
			for family := range families {
				// A value is off by at most half a unit: its square by the value and 1/4.
				slack, want := sum[family]+float64(n[family])/4, 0.0
				if n[family] > 0 {
					want = 1 << (2 * normalisedBits)
				}
				if math.Abs(squares[family]-want) > slack {
					t.Errorf("%v of %d features, family %d: squares add up to %v, want %v within %v", v, size, family, squares[family], want, slack)
				}
			}
		}
	}
}

// A family's values do not depend on the other families, nor on the order of
// the features, and the memory that is handed in does not matter.
func TestValuesAreDeterministic(t *testing.T) {
	rng := rand.New(rand.NewPCG(30, 31))
	text := someText(rng, 500)
	dirty := slices.Repeat([]int32{-1}, 1000)
	for v := range Value(values) {
		want := map[string]int32{}
		for i, value := range valuesOf(v, text) {
			want[fmt.Sprint(text[i])] = value
		}
		for range 20 {
			rng.Shuffle(len(text), func(i, j int) { text[i], text[j] = text[j], text[i] })
			part := slices.DeleteFunc(slices.Clone(text), func(o occurrence) bool { return o.words == 2 })
			for _, list := range [][]occurrence{text, part} {
				got := v.Values(dirty[:rng.IntN(len(dirty))], len(list), func(i int) (uint8, uint32, uint16) {
					return list[i].words, list[i].count, list[i].idf
				})
				if len(got) != len(list) {
					t.Fatalf("%v: %d values of %d features", v, len(got), len(list))
				}
				for i, value := range got {
					if value != want[fmt.Sprint(list[i])] {
						t.Fatalf("%v of %+v: %d, before %d", v, list[i], value, want[fmt.Sprint(list[i])])
					}
				}
			}
		}
	}
}

func TestValuesOfNothing(t *testing.T) {
	for v := range Value(values) {
		if got := valuesOf(v, nil); len(got) != 0 {
			t.Errorf("%v of no features: %v", v, got)
		}
	}
}

// The most, the most frequent and the rarest features do not overflow.
func TestValuesDoNotOverflow(t *testing.T) {
	const most = 1 << 21
	heaviest := occurrence{1, math.MaxUint32, math.MaxUint16}
	crowd := slices.Repeat([]occurrence{heaviest}, most)
	for v, want := range []int32{1, math.MaxInt32, 3, 3} { // 4096 / sqrt(2^21) is 2.83
		if got := valuesOf(Value(v), crowd); slices.Min(got) != want || slices.Max(got) != want {
			t.Errorf("%v of %d features: %d to %d, want %d", Value(v), most, slices.Min(got), slices.Max(got), want)
		}
	}
	alone := append([]occurrence{heaviest}, slices.Repeat([]occurrence{{1, 1, 1 << IDFBits}}, 1000)...)
	for v, want := range [][2]int32{{1, 1}, {math.MaxInt32, 1}, {129, 129}, {4092, 6}} {
		if got := valuesOf(Value(v), alone); got[0] != want[0] || got[1] != want[1] {
			t.Errorf("%v of a heavy and 1000 light features: %d and %d, want %d and %d", Value(v), got[0], got[1], want[0], want[1])
		}
	}
	for v, want := range []int32{1, math.MaxInt32, 1 << normalisedBits, 1 << normalisedBits} {
		for _, o := range []occurrence{heaviest, {0, math.MaxUint32, 1}} {
			if got := valuesOf(Value(v), []occurrence{o}); got[0] != want {
				t.Errorf("%v of %+v alone: %d, want %d", Value(v), o, got[0], want)
			}
		}
	}
}

// The logarithms of small counts that are looked up are those that would be
// worked out.
func TestLogCounts(t *testing.T) {
	for n := uint32(1); n < uint32(len(logCounts)); n++ {
		if logCounts[n] != logCount(n) {
			t.Errorf("count %d: %d, want %d", n, logCounts[n], logCount(n))
		}
	}
	for _, c := range []struct {
		count uint32
		want  uint64
	}{{1, 256}, {2, 433}, {3, 537}, {255, 1675}, {256, 1676}, {math.MaxUint32, 5934}} {
		if got := TFIDF.weight(c.count, 1<<logBits); got != c.want {
			t.Errorf("1 + ln %d = %d/256, want %d", c.count, got, c.want)
		}
	}
}
