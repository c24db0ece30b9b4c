package exact

import (
	"math"
	"math/rand/v2"
	"testing"
)

// ulps returns how many units in the last place a and b are apart.
func ulps(a, b float64) float64 {
	if a == b {
		return 0
	}
	u := math.Abs(math.Nextafter(b, math.Inf(1)) - b)
	return math.Abs(a-b) / u
}

func TestExpAgreesWithMath(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		x := (rng.Float64() - 0.5) * 1400
		if got, want := Exp(x), math.Exp(x); ulps(got, want) > 2 {
			t.Fatalf("Exp(%v) = %v, want %v: %v units apart", x, got, want, ulps(got, want))
		}
	}
}

func TestLogAgreesWithMath(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range 200_000 {
		x := math.Ldexp(rng.Float64()+0.5, rng.IntN(200)-100)
		if i%2 == 0 {
			x = 1 + (rng.Float64()-0.5)/8 // where log is near zero
		}
		if got, want := Log(x), math.Log(x); ulps(got, want) > 2 {
			t.Fatalf("Log(%v) = %v, want %v: %v units apart", x, got, want, ulps(got, want))
		}
	}
}

func TestEdges(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"Exp(0)", Exp(0), 1},
		{"Exp(-Inf)", Exp(math.Inf(-1)), 0},
		{"Exp(+Inf)", Exp(math.Inf(1)), math.Inf(1)},
		{"Exp(-1000)", Exp(-1000), 0},
		{"Exp(1000)", Exp(1000), math.Inf(1)},
		{"Log(1)", Log(1), 0},
		{"Log(0)", Log(0), math.Inf(-1)},
		{"Log(+Inf)", Log(math.Inf(1)), math.Inf(1)},
	} {
		if c.got != c.want {
			t.Errorf("%s = %v, want %v", c.name, c.got, c.want)
		}
	}
	for name, got := range map[string]float64{"Exp(NaN)": Exp(math.NaN()), "Log(NaN)": Log(math.NaN()), "Log(-1)": Log(-1)} {
		if got == got {
			t.Errorf("%s = %v, want NaN", name, got)
		}
	}
}

// The bits below were worked out once and must be met on every processor.
func TestBitsAreFixed(t *testing.T) {
	for _, c := range []struct {
		name string
		got  float64
		want uint64
	}{
		{"Exp(1)", Exp(1), 0x4005bf0a8b14576a},
		{"Exp(-0.1)", Exp(-0.1), 0x3fecf46d99d52b3a},
		{"Log(3)", Log(3), 0x3ff193ea7aad030b},
		{"Log(0.1)", Log(0.1), 0xc0026bb1bbb55515},
	} {
		if math.Float64bits(c.got) != c.want {
			t.Errorf("%s has bits %#x, want %#x", c.name, math.Float64bits(c.got), c.want)
		}
	}
}

func TestSoftmax(t *testing.T) {
	p := make([]float64, 3)
	Softmax(p, []float64{-1e9, 3, 3}, 1)
	if p[0] != 0 || p[1] != 0.5 || p[2] != 0.5 {
		t.Errorf("Softmax = %v, want [0 0.5 0.5]", p)
	}
}

func TestExpNearItsLimits(t *testing.T) {
	for _, x := range []float64{709.782712893384, 709.5, 709.08956, 709, -707.7, -708, -708.3964185322641} {
		if got, want := Exp(x), math.Exp(x); ulps(got, want) > 2 || math.IsInf(got, 0) || got == 0 {
			t.Errorf("Exp(%v) = %v, want %v", x, got, want)
		}
	}
}

func TestSoftmaxIsADistribution(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for n := 1; n < 50; n++ {
		scores, p := make([]float64, n), make([]float64, n)
		for i := range scores {
			scores[i] = rng.NormFloat64() * 100
		}
		Softmax(p, scores, 0.3)
		sum := 0.0
		for i := range p {
			sum += p[i]
			for j := range p {
				if scores[i] > scores[j] && p[i] < p[j] {
					t.Fatalf("scores %v and %v get %v and %v", scores[i], scores[j], p[i], p[j])
				}
			}
		}
		if math.Abs(sum-1) > 1e-12 {
			t.Fatalf("%d probabilities add up to %v", n, sum)
		}
	}
}
