package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// someScores are scores of members that know the truth more or less: the k-th
// member's are skill[k] for the true label, and noise. Labels are uneven.
func someScores(rng *rand.Rand, n, labels int, skill ...float64) *stacked {
	s := &stacked{labels: labels, members: make([][]float32, len(skill)), biased: true}
	for i := range n {
		truth := min(rng.IntN(labels), rng.IntN(labels))
		s.truth, s.docs = append(s.truth, truth), append(s.docs, i)
		for k, of := range skill {
			for l := range labels {
				x := rng.NormFloat64()
				if l == truth {
					x += of
				}
				s.members[k] = append(s.members[k], float32(x*math.Pow(10, float64(k-1))))
			}
		}
	}
	return s
}

// objective is the one of fit, written down plainly.
func (s *stacked) objective(b blend) (objective, loss float64) {
	n, labels := float64(len(s.docs)), float64(s.labels)
	for _, i := range s.docs {
		z, sum := slices.Clone(b.bias), 0.0
		for l := range z {
			for k, of := range s.members {
				z[l] += b.weights[k] * float64(of[i*s.labels+l])
			}
			sum += math.Exp(z[l])
		}
		for l := range z {
			wanted := 1 / labels / (n + 1)
			if l == s.truth[i] {
				wanted = (n + 1/labels) / (n + 1)
				loss -= z[l] - math.Log(sum)
			}
			objective -= wanted * (z[l] - math.Log(sum))
		}
	}
	objective, loss = objective/n, loss/n
	for _, x := range b.bias {
		objective += x * x / (2 * n)
	}
	return objective, loss
}

// No step from what fit finds lowers the objective, be it long or short: it is
// the minimum, for the objective is convex.
func TestBlendIsTheMinimum(t *testing.T) {
	rng := rand.New(rand.NewPCG(41, 42))
	for _, skill := range [][]float64{{1}, {1, 2}, {0.5, 2, 1, 0}, {-1, 1}} {
		for _, labels := range []int{2, 3, 7} {
			for _, n := range []int{20, 400} {
				s := someScores(rng, n, labels, skill...)
				s.biased = n > 100
				b, loss := s.fit()
				least, same := s.objective(b)
				what := fmt.Sprintf("skills %v, %d labels, %d texts", skill, labels, n)
				within(t, what+": loss", loss, same, 1e-9)
				for range 200 {
					at := blend{slices.Clone(b.weights), slices.Clone(b.bias)}
					size := math.Pow(10, -4*rng.Float64())
					for k := range at.weights {
						at.weights[k] += size * rng.NormFloat64() * math.Pow(10, float64(1-k))
					}
					for l := range at.bias {
						if s.biased {
							at.bias[l] += size * rng.NormFloat64()
						}
					}
					if got, _ := s.objective(at); got < least-1e-6 {
						t.Fatalf("%s: %v gives %v, less than %v of the fit %v", what, at, got, least, b)
					}
				}
			}
		}
	}
}

// The objective lies below every chord.
func TestBlendIsConvex(t *testing.T) {
	rng := rand.New(rand.NewPCG(43, 44))
	s := someScores(rng, 50, 3, 1, 2)
	point := func() blend {
		b := blend{make([]float64, 2), make([]float64, 3)}
		for k := range b.weights {
			b.weights[k] = 3 * rng.NormFloat64()
		}
		for l := range b.bias {
			b.bias[l] = 3 * rng.NormFloat64()
		}
		return b
	}
	for range 200 {
		a, b, middle := point(), point(), point()
		for k := range middle.weights {
			middle.weights[k] = (a.weights[k] + b.weights[k]) / 2
		}
		for l := range middle.bias {
			middle.bias[l] = (a.bias[l] + b.bias[l]) / 2
		}
		x, _ := s.objective(a)
		y, _ := s.objective(b)
		if z, _ := s.objective(middle); z > (x+y)/2+1e-9 {
			t.Fatalf("%v between %v and %v: the objective is %v, above %v", middle, a, b, z, (x+y)/2)
		}
	}
}

// Scores that tell every text without a mistake are not taken for certain of
// everything.
func TestSeparableScoresStayFinite(t *testing.T) {
	for _, n := range []int{2, 30, 1000} {
		s := &stacked{labels: 2, members: make([][]float32, 1), biased: true}
		for i := range n {
			s.truth, s.docs = append(s.truth, i%2), append(s.docs, i)
			s.members[0] = append(s.members[0], float32(1-i%2), float32(i%2))
		}
		b, _ := s.fit()
		if w := b.weights[0]; !(w > 0 && w < 2*math.Log(float64(2*n+2))) {
			t.Errorf("%d texts: weight %v", n, w)
		}
		z, want := make([]float64, 2), (float64(n)+0.5)/(float64(n)+1)
		b.logit(z, s.members, 0)
		within(t, fmt.Sprintf("%d texts: probability of the truth", n), 1/(1+math.Exp(z[1]-z[0])), want, 0.2/float64(n))
	}
}

func TestBlendOfLittle(t *testing.T) {
	rng := rand.New(rand.NewPCG(45, 46))
	none := someScores(rng, 20, 3, 1, 2)
	none.docs = nil
	missing := someScores(rng, 40, 3, 1, 2)
	for i := range missing.truth {
		missing.truth[i] = min(missing.truth[i], 1)
	}
	silent := someScores(rng, 20, 3, 1, 2)
	clear(silent.members[0])
	clear(silent.members[1])
	twins := someScores(rng, 40, 3, 1)
	twins.members = append(twins.members, twins.members[0])
	huge := someScores(rng, 40, 3, 1)
	for i := range huge.members[0] {
		huge.members[0][i] *= 1e15
	}
	many := someScores(rng, 40, maxBiased+1, 1)
	single := someScores(rng, 1, 2, 1)
	for name, s := range map[string]*stacked{
		"no texts": none, "a label without texts": missing, "members that say nothing": silent,
		"members that say the same": twins, "large scores": huge, "too many labels for biases": many, "one text": single,
	} {
		b, loss := s.fit()
		for _, x := range append(slices.Concat(b.weights, b.bias), loss) {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				t.Errorf("%s: got %v and loss %v", name, b, loss)
				break
			}
		}
		if name == "no texts" && !slices.Equal(b.weights, []float64{1, 1}) {
			t.Errorf("no texts: got weights %v, want 1", b.weights)
		}
		if name == "too many labels for biases" && slices.ContainsFunc(b.bias, func(x float64) bool { return x != 0 }) {
			t.Errorf("%s: got biases", name)
		}
	}
}

// A blend has members that help, each once, and none that speaks against the
// truth.
func TestChooseTakesMembersThatHelp(t *testing.T) {
	rng := rand.New(rand.NewPCG(47, 48))
	s := someScores(rng, 1500, 3, 0, 1.5, 1.4, -2)
	pool := append(s.members, s.members[1]) // noise, good, good, wrong, a copy
	s.members = nil
	chosen, b, loss := s.choose(pool, 4)
	if !slices.Equal(chosen, []int{1, 2}) || slices.Min(b.weights) <= 0 || len(s.members) != 2 {
		t.Fatalf("chose %v with weights %v", chosen, b.weights)
	}
	s.members = pool[1:2]
	if _, alone := s.fit(); alone <= loss {
		t.Errorf("the loss of the blend is %v, of the best member alone %v", loss, alone)
	}
	s.members = nil
	if first, _, _ := s.choose(pool, 1); !slices.Equal(first, []int{1}) {
		t.Errorf("of one member chose %v, want 1", first)
	}
}

// A lone member that speaks against the truth keeps a weight above 0, and its
// loss is the one that it has with it.
func TestLossIsThatOfTheBlend(t *testing.T) {
	rng := rand.New(rand.NewPCG(49, 50))
	for _, skill := range []float64{-2, -0.3, 0, 1} {
		for _, n := range []int{10, 500} {
			s := someScores(rng, n, 3, skill)
			b, loss := s.fit()
			if b.weights[0] <= 0 {
				t.Errorf("skill %v: weight %v", skill, b.weights[0])
			}
			_, want := s.objective(b)
			within(t, fmt.Sprintf("skill %v, %d texts: loss", skill, n), loss, want, 1e-9)
		}
	}
}

func TestClamp(t *testing.T) {
	b := blend{weights: []float64{-0.5, 0.5, 0}}
	if b.clamp(); !slices.Equal(b.weights, []float64{0, 0.5, 0}) {
		t.Errorf("got %v", b.weights)
	}
}

func TestThin(t *testing.T) {
	list := make([]int, 3000)
	for i := range list {
		list[i] = i
	}
	for _, labels := range []int{2, 100, 2000, maxScores} {
		got := thin(list, labels)
		if len(got)*labels > maxScores+labels || len(got) == 0 || got[0] != 0 {
			t.Errorf("%d labels: %d texts of 3000", labels, len(got))
		}
		if fits := len(list)*labels < maxScores; fits != (len(got) == len(list)) {
			t.Errorf("%d labels: %d texts of 3000 left", labels, len(got))
		}
	}
}
