package judge

import (
	"math"

	"github.com/parley-nlp/parley/internal/exact"
)

// regularisedBeta is I_x(a, b), the probability that a variable of the beta
// distribution is at most x, for a and b above 0. Continued fraction 8.17.22 of
// the NIST Digital Library of Mathematical Functions.
func regularisedBeta(x, a, b float64) float64 {
	switch {
	case x <= 0:
		return 0
	case x >= 1:
		return 1
	case x > (a+1)/(a+b+2): // where the fraction converges slowly
		return 1 - regularisedBeta(1-x, b, a)
	}
	power := float64(a*exact.Log(x)) + float64(b*exact.Log(1-x))
	return exact.Exp(power+logGamma(a+b)-logGamma(a)-logGamma(b)) / (a * betaFraction(x, a, b))
}

// betaFraction is 1 + d1/(1 + d2/(1 + …)), by the modified method of Lentz:
// Thompson and Barnett, "Coulomb and Bessel Functions of Complex Arguments and
// Order" (1986).
func betaFraction(x, a, b float64) float64 {
	const tiny, precision, terms = 1e-300, 1e-15, 100_000
	value, c, d := 1.0, 1.0, 0.0
	for i := 1; i <= terms; i++ {
		term := betaTerm(i, x, a, b)
		d = 1 / nonZero(1+float64(term*d), tiny)
		c = nonZero(1+term/c, tiny)
		value *= c * d
		if math.Abs(float64(c*d)-1) < precision {
			break
		}
	}
	return value
}

// betaTerm is d_i of the continued fraction.
func betaTerm(i int, x, a, b float64) float64 {
	m := float64(i / 2)
	if i%2 == 0 {
		return m * (b - m) * x / ((a + float64(2*m) - 1) * (a + float64(2*m)))
	}
	return -(a + m) * (a + b + m) * x / ((a + float64(2*m)) * (a + float64(2*m) + 1))
}

func nonZero(x, tiny float64) float64 {
	if x == 0 {
		return tiny
	}
	return x
}

// logGamma is the logarithm of the gamma function for x above 0: Stirling's
// series from 10 on, below it by recurrence. The first term left out is below
// 1e-12.
func logGamma(x float64) float64 {
	const halfLogTwoPi = 0.9189385332046727
	product := 1.0
	for ; x < 10; x++ {
		product *= x
	}
	square := x * x
	series := (1./12 - (1./360-(1./1260-1./1680/square)/square)/square) / x
	return float64((x-0.5)*exact.Log(x)) - x + halfLogTwoPi + series - exact.Log(product)
}

// studentQuantile is the value that a variable of Student's distribution
// exceeds with probability tail, below 1/2. The degrees of freedom need not be
// whole.
func studentQuantile(tail, degrees float64) float64 {
	// P(T > t) = I_x(degrees/2, 1/2) / 2 with x = degrees/(degrees+t²), which
	// rises with x.
	x := bisect(func(x float64) bool { return regularisedBeta(x, degrees/2, 0.5) > 2*tail })
	return math.Sqrt(float64(degrees*(1-x)) / x)
}

// clopperPearson is the lower bound of a proportion of which share was seen in
// n trials, wrong with at most the given probability. n need not be whole.
// Clopper and Pearson, "The Use of Confidence or Fiducial Limits Illustrated in
// the Case of the Binomial" (1934).
func clopperPearson(share, n, wrong float64) float64 {
	hits := float64(share * n)
	if !(hits > 0) {
		return 0
	}
	return bisect(func(p float64) bool { return regularisedBeta(p, hits, n-hits+1) > wrong })
}

// bisect returns the largest number from 0 to 1, to 52 bits, at which a
// condition that comes true somewhere and stays true does not hold.
func bisect(holds func(float64) bool) float64 {
	low, high := 0.0, 1.0
	for range 52 {
		if middle := (low + high) / 2; holds(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return low
}
