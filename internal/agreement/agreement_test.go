package agreement

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
)

func near(t *testing.T, what string, got *float64, want float64) {
	t.Helper()
	if got == nil || math.Abs(*got-want) > 1e-9 {
		t.Errorf("%s is %v, want %v", what, show(got), want)
	}
}

func show(v *float64) string {
	if v == nil {
		return "undefined"
	}
	return fmt.Sprint(*v)
}

// table2 gives a unit for every count of a table: rows are the labels of a, columns
// those of b.
func table2(a, b string, counts [][]int) (votes []Vote) {
	for i, row := range counts {
		for j, n := range row {
			for k := range n {
				unit := 10_000*i + 100*j + k
				votes = append(votes, Vote{unit, a, fmt.Sprint(i)}, Vote{unit, b, fmt.Sprint(j)})
			}
		}
	}
	return votes
}

// The tables are computed by hand: 35 of 50 agree, chance gives
// (25*30 + 25*20)/50² = 0.5.
func TestCohen(t *testing.T) {
	got := Cohen(table2("ann", "bob", [][]int{{20, 5}, {10, 15}}))
	if len(got) != 1 || got[0].A != "ann" || got[0].B != "bob" || got[0].Units != 50 || got[0].Observed != 0.7 || got[0].Expected != 0.5 {
		t.Fatalf("kappas are %+v", got)
	}
	near(t, "kappa", got[0].Kappa, 0.4)
	near(t, "kappa of full agreement", Cohen(table2("a", "b", [][]int{{3, 0}, {0, 4}}))[0].Kappa, 1)
	near(t, "kappa of full disagreement", Cohen(table2("a", "b", [][]int{{0, 5}, {5, 0}}))[0].Kappa, -1)
}

func TestCohenUndefined(t *testing.T) {
	if got := Cohen(table2("a", "b", [][]int{{3}}))[0]; got.Kappa != nil || got.Observed != 1 {
		t.Errorf("one label only: %+v", got)
	}
	if got := Cohen([]Vote{{1, "a", "x"}, {2, "b", "x"}}); got != nil {
		t.Errorf("no unit in common: %+v", got)
	}
}

func TestCohenOfThree(t *testing.T) {
	got := Cohen([]Vote{{1, "c", "x"}, {1, "b", "x"}, {1, "a", "y"}, {2, "a", "x"}, {2, "c", "x"}})
	var names []string
	for _, k := range got {
		names = append(names, fmt.Sprint(k.A, k.B, k.Units))
	}
	if want := []string{"ab1", "ac2", "bc1"}; !reflect.DeepEqual(names, want) {
		t.Errorf("pairs are %v, want %v", names, want)
	}
}

// votes reads a line of labels an annotator, a column a unit; "." is no vote.
func votes(lines ...string) (list []Vote) {
	for i, line := range lines {
		for unit, label := range line {
			if label != '.' {
				list = append(list, Vote{unit, fmt.Sprint(i), string(label)})
			}
		}
	}
	return list
}

func TestKrippendorff(t *testing.T) {
	tests := map[string]struct {
		lines             []string
		units, votes, who int
		want              float64
	}{
		// The example of section C of the paper, whose alpha is .743.
		"four observers": {[]string{"123321412...", "1233224125.3", ".3332342251.", "12332441251."}, 11, 40, 4, 0.743421052631579},
		// 26 votes on units with several; six disagree, of 676-190 = 486 that could.
		"three coders": {[]string{".....34121133.3", "1.213343.......", "..21344.21133.4"}, 12, 26, 3, 1 - 25*6/486.0},
		"agreement":    {[]string{"1212", "1212"}, 4, 8, 2, 1},
		// D = 8/8, expected 32/56: 1 - 7*8/32
		"disagreement": {[]string{"1212", "2121"}, 4, 8, 2, -0.75},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := Krippendorff(votes(test.lines...))
			near(t, "alpha", got.Alpha, test.want)
			if got.Units != test.units || got.Votes != test.votes || got.Annotators != test.who {
				t.Errorf("got %+v, want %d units, %d votes, %d annotators", got, test.units, test.votes, test.who)
			}
		})
	}
}

func TestKrippendorffUndefined(t *testing.T) {
	for _, lines := range [][]string{nil, {"12", ".."}, {"1.", ".1"}, {"11", "11"}} {
		if got := Krippendorff(votes(lines...)); got.Alpha != nil {
			t.Errorf("%q: alpha is %v, want none", lines, *got.Alpha)
		}
	}
}

// TestOrder: the order of votes does not matter, but that of an annotator's votes
// on one unit.
func TestOrder(t *testing.T) {
	list := votes("123321411212", "223331412113", "1133.1421.12")
	want, wantKappas := Krippendorff(list), Cohen(list)
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		if got := Krippendorff(list); !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: alpha %v, want %v", seed, show(got.Alpha), show(want.Alpha))
		}
		if got := Cohen(list); !reflect.DeepEqual(got, wantKappas) {
			t.Fatalf("seed %d: kappas differ", seed)
		}
	}
	got := Krippendorff([]Vote{{1, "a", "x"}, {1, "b", "y"}, {2, "a", "y"}, {2, "b", "y"}, {1, "a", "y"}})
	if got.Alpha != nil || got.Votes != 4 {
		t.Errorf("the last vote counts: %+v", got)
	}
}

// TestChance: who answers at random agrees as chance does.
func TestChance(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	var list []Vote
	for unit := range 5000 {
		for _, who := range []string{"a", "b", "c"} {
			list = append(list, Vote{unit, who, fmt.Sprint(rng.IntN(4))})
		}
	}
	if a := Krippendorff(list).Alpha; a == nil || math.Abs(*a) > 0.03 {
		t.Errorf("alpha is %v, want about 0", show(a))
	}
	for _, k := range Cohen(list) {
		if k.Kappa == nil || math.Abs(*k.Kappa) > 0.06 {
			t.Errorf("kappa is %v, want about 0", show(k.Kappa))
		}
	}
}
