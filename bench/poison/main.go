package main

import (
	"context"
	"math"
	"fmt"

	"math/rand/v2"
	"os"
	"slices"
	"time"
	"strconv"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/train"
)

const recipe = `{"format":1,"objective":"macro-f1","folds":5,"cut":[2,1,2,2],"min_sources":1,"strings":false,"heads":[
{"head":"topic","members":[{"words":2,"char_min":2,"char_max":5,"value":"tfidf","estimator":"cnb","strength":0.3},{"words":2,"value":"tfidf","estimator":"svm","strength":0.3}]},
{"head":"stance","members":[{"words":2,"char_min":2,"char_max":5,"value":"binary","estimator":"mnb","strength":0.3},{"words":2,"char_min":2,"char_max":5,"value":"tfidf","estimator":"svm","strength":0.3}]}]}`

func main() {
	srcs, _ := dataset.Files([]string{"data/train.jsonl"}, nil)
	heads := []string{"topic", "stance"}
	set, err := dataset.ReadAll(srcs, dataset.Options{Heads: heads})
	if err != nil {
		panic(err)
	}
	r, err := train.ParseRecipe([]byte(recipe))
	if err != nil {
		panic(err)
	}
	share, _ := strconv.ParseFloat(os.Args[1], 64)
	seeds, _ := strconv.Atoi(os.Args[2])
	for seed := range seeds {
		rng := rand.New(rand.NewPCG(uint64(seed), 7))
		groups := map[string]bool{}
		for _, ex := range set.Examples {
			groups[ex.Group] = true
		}
		var names []string
		for g := range groups {
			names = append(names, g)
		}
		slices.Sort(names)
		in := map[string]bool{}
		for _, g := range names {
			in[g] = rng.Float64() < share
		}
		var base, rest []dataset.Example
		for _, ex := range set.Examples {
			ex.File = "base"
			if in[ex.Group] {
				base = append(base, ex)
			} else {
				rest = append(rest, ex)
			}
		}
		t0 := time.Now()
		m, _, err := train.Train(context.Background(), base, heads, r.Config())
		if err != nil {
			panic(err)
		}
		_ = time.Since(t0)
		c := m.NewClassifier()
		var corr []dataset.Example
		var labels [2][]string
		for h := range heads {
			labels[h] = dataset.LabelsOf(set.Examples, h)
		}
		for _, ex := range rest {
			p := c.Classify(ex.Text, "").Predictions
			var l = []string{"", ""}
			wrong := false
			for h := range heads {
				hh := m.Head(heads[h])
				if got := m.Heads()[hh].Labels[p[hh].Best]; got != ex.Labels[h] {
					l[h], wrong = ex.Labels[h], true
				}
			}
			if wrong {
				ex.Labels = l
				ex.File = "corr"
				corr = append(corr, ex)
			}
		}
		nc := len(corr)
		rng.Shuffle(nc, func(i, j int) { corr[i], corr[j] = corr[j], corr[i] })
		corr = corr[:min(500, nc)]
		for _, poison := range []bool{false, true} {
			batch := slices.Clone(corr)
			flipped := map[string]bool{}
			for i := range batch {
				ex := &batch[i]
				ex.Line = i + 1
				if poison && rng.Float64() < .3 {
					ex.Labels = slices.Clone(ex.Labels)
					for h := range heads {
						if ex.Labels[h] != "" {
							for {
								n := labels[h][rng.IntN(len(labels[h]))]
								if n != ex.Labels[h] {
									ex.Labels[h] = n
									break
								}
							}
						}
					}
					flipped[ex.File+":"+strconv.Itoa(ex.Line)] = true
				}
			}
			_, rep, err := train.Train(context.Background(), append(slices.Clone(base), batch...), heads, r.Config())
			if err != nil {
				panic(err)
			}
			for h := range heads {
				zs := map[string][4]float64{}
				rates := map[string][]float64{}
				cl := rep.Heads[h]
				for _, j := range cl.OutOfFold() {
					q := slices.Clone(j.Probabilities)
					k := "base"
					tot := 1.0
					if j.Row.Place[:4] == "corr" {
						k = "corr"
						pr := c.Classify(j.Row.Text, "").Predictions
						hh := m.Head(heads[h])
						lab := m.Heads()[hh].Labels[pr[hh].Best]
						at := slices.Index(labels[h], lab)
						if at >= 0 && at != j.Truth {
							tot -= q[at]
							q[at] = 0
						}
						if at == j.Truth {
							k = "same"
						}
					}
					t := 0.0
					for _, v := range q {
						if v <= q[j.Truth] {
							t += v
						}
					}
					// expectations under q
					var et, vt, es, vs float64
					for _, v := range q {
						if v <= 0 { continue }
						tt := 0.0
						for _, u := range q { if u <= v { tt += u } }
						et += v/tot*tt/tot; vt += v/tot*tt/tot*tt/tot
						sv := -math.Log(v/tot)
						es += v/tot*sv; vs += v/tot*sv*sv
					}
					kk := k
					if k == "same" {kk="corr"}
					z := zs[kk]
					z[0] += t/tot-et; z[1] += vt-et*et
					z[2] += -math.Log(q[j.Truth]/tot) - es; z[3] += vs-es*es
					zs[kk]=z
					rates[k] = append(rates[k], t/tot)
					if k!="base" {rates["batch"] = append(rates["batch"], t/tot)}
				}
				fmt.Printf("seed %d corr %d poison %v %s:", seed, len(corr), poison, heads[h])
				for _, k := range []string{"base", "batch", "corr", "same"} {
					s := rates[k]
					slices.Sort(s)
					n := len(s)
					if n == 0 {
						continue
					}
					under := func(t float64) float64 {
						i, _ := slices.BinarySearch(s, t)
						return float64(i) / float64(n)
					}
					sum:=0.0
					for _, v := range s {sum+=v}
					if k != "batch" { continue }
					fmt.Printf("  %s n=%d mean %.2f <.02:%.3f <.05:%.3f <.1:%.3f <.2:%.2f", k, n, sum/float64(n), under(.02), under(.05), under(.1), under(.2))
				}
				for _, k := range []string{"base","corr"} { z := zs[k]; fmt.Printf(" %s zt %.1f zs %.1f", k, z[0]/math.Sqrt(z[1]), z[2]/math.Sqrt(z[3])) }
				fmt.Println()
			}
		}
	}
}
