package bayesian_test

import (
	"fmt"
	"log"
	"os"
	"slices"
	"strings"

	"github.com/parley-nlp/parley/internal/bayesian"
)

// A program that takes over a model answers as before, except where the library
// had no answer.
func Example() {
	file, err := os.Open("testdata/plain.gob")
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	c, err := bayesian.Read(file)
	if err != nil {
		log.Fatal(err)
	}
	for _, text := range [][]string{strings.Fields("critics warn the truce will fail"), slices.Repeat([]string{"zebra"}, 30)} {
		answer := c.ProbScores(text)
		note := ""
		if !answer.Defined() {
			note = fmt.Sprintf(", where the library says %.3f", answer.Scores)
			answer = c.SafeProbabilities(text)
		}
		fmt.Printf("%s %.3f%s\n", c.Classes()[answer.Best], answer.Scores, note)
	}
	// Output:
	// skeptical [0.000 1.000 0.000]
	// hopeful [0.412 0.402 0.186], where the library says [NaN NaN NaN]
}

func ExampleClassifier_Counts() {
	c, err := bayesian.ReadClasses(os.DirFS("testdata/per-class"))
	if err != nil {
		log.Fatal(err)
	}
	counts, err := c.Counts()
	if err != nil {
		log.Fatal(err)
	}
	for _, class := range counts.Classes {
		fmt.Println(class.Name, class.Total, class.Words[:3])
	}
	// Output:
	// hopeful 40 [{a 3} {and 2} {bring 1}]
	// neutral 18 [{2021 1} {anchorage 1} {for 1}]
	// skeptical 39 [{a 1} {again 1} {aggression 1}]
}
