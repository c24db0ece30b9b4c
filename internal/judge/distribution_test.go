package judge

import (
	"math"
	"testing"
)

func TestLogGamma(t *testing.T) {
	for _, x := range []float64{0.01, 0.5, 1, 1.5, 2, 9.99, 10, 33.3, 1e3, 1e6} {
		want, _ := math.Lgamma(x)
		within(t, "log gamma", logGamma(x), want, 2e-12*max(1, math.Abs(want)))
	}
}

// I_p(k, n-k+1) is the probability of k or more hits in n trials.
func TestRegularisedBetaSumsTheBinomial(t *testing.T) {
	for _, n := range []int{1, 2, 7, 30} {
		for _, p := range []float64{0.01, 0.3, 0.5, 0.95} {
			tail, pmf := 0.0, math.Pow(p, float64(n)) // of n hits
			for k := n; k > 0; k-- {
				tail += pmf
				within(t, "binomial tail", regularisedBeta(p, float64(k), float64(n-k+1)), tail, 1e-11)
				pmf *= float64(k) / float64(n-k+1) * (1 - p) / p
			}
		}
	}
	near(t, "below 0", regularisedBeta(-1, 2, 3), 0)
	near(t, "above 1", regularisedBeta(2, 2, 3), 1)
}

func TestStudentQuantile(t *testing.T) {
	for _, test := range []struct{ tail, degrees, want float64 }{
		{0.025, 1, 12.7062047}, {0.025, 2, 4.3026527}, {0.05, 5, 2.0150484}, {0.025, 30, 2.0422725}, {0.005, 1000, 2.5807547},
		{0.25, 1, 1}, {0.025, 1e6, 1.9599664},
	} {
		within(t, "quantile", studentQuantile(test.tail, test.degrees), test.want, 1e-6)
	}
}

func TestClopperPearson(t *testing.T) {
	for _, test := range []struct{ share, n, wrong, want float64 }{
		{0, 10, 0.05, 0}, {0, 0, 0.05, 0}, {0.8, 10, 0.05, 0.4930987}, {0.5, 20, 0.025, 0.2719578},
		{1, 10, 0.05, math.Pow(0.05, 0.1)}, {1, 2.5, 0.05, math.Pow(0.05, 0.4)},
	} {
		within(t, "lower bound", clopperPearson(test.share, test.n, test.wrong), test.want, 1e-6)
	}
}
