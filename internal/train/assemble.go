package train

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/parley-nlp/parley/internal/judge"
	"github.com/parley-nlp/parley/internal/model"
)

// A trainedHead is a head with its weights over the rows of the corpus.
type trainedHead struct {
	ensemble
	judgements []judge.Judgement // by cross-validation
	metrics    judge.Metrics
	nested     [][]judge.Judgement // per repeat
	keywords   Baseline
	learning   []judge.LearningPoint
	thresholds []judge.Threshold
	sets       judge.Conformal
	candidates []*contender // tried, pooled ones first
	left       int          // candidates that the budget did not allow

	blocks  []*block
	bias    []float64
	targets []targetBias // in the order of task.targets
}

// A block is the sum of the members that see the same values, in nats.
type block struct {
	value   model.Value
	weights []float32   // rows x labels
	target  [][]overlay // per target: rows that get more
}

// An overlay is what a target adds to the weights of a row.
type overlay struct {
	row     uint32
	weights []float32
}

type targetBias []float64

// fitAll trains the members on all labelled examples and sums them up.
func (h *trainedHead) fitAll(all *seen) {
	h.bias = slices.Clone(h.pooledBlend.bias)
	for m, t := range h.fitMembers(all, h.pooled, func(int) bool { return true }) {
		b := h.block(h.pooled[m].Value)
		b.add(t, h.pooledBlend.weights[m])
		for l, x := range t.bias {
			h.bias[l] += float64(h.pooledBlend.weights[m] * float64(x))
		}
	}
	if len(h.aimed) == 0 {
		return
	}
	// A target's logits are base * (pooled logits + what the target adds).
	base := h.targetBlend.weights[0]
	for target := range h.task.targets {
		bias := make(targetBias, len(h.labels))
		for l, x := range h.targetBlend.bias {
			bias[l] = x / base
		}
		sums := map[model.Value]*block{}
		for m, t := range h.fitMembers(all, h.aimed, func(i int) bool { return h.target[i] == target }) {
			c := h.aimed[m]
			weight := h.targetBlend.weights[m+1] / base
			if sums[c.Value] == nil {
				sums[c.Value] = &block{value: c.Value, weights: make([]float32, len(t.weights))}
			}
			sums[c.Value].add(t, weight)
			for l, x := range t.bias {
				bias[l] += float64(weight * float64(x))
			}
		}
		h.targets = append(h.targets, bias)
		for v, sum := range sums { // each goes to a block of its own
			h.block(v).target[target] = sum.sparse(len(h.labels))
		}
	}
}

// fitMembers trains members on the labelled examples for which use holds.
func (h *trainedHead) fitMembers(all *seen, members []*contender, use func(i int) bool) []table {
	if h.docs == nil {
		return h.fitByPasses(all, members, use)
	}
	tables := make([]table, len(members))
	inParallel(len(members), func(lo, hi int) {
		for m := lo; m < hi; m++ {
			tables[m] = h.fitMember(all, members[m], use)
		}
	})
	return tables
}

// fitMember trains a member on the labelled examples for which use holds.
func (h *trainedHead) fitMember(all *seen, c *contender, use func(i int) bool) table {
	if h.counted != nil {
		return c.fit(h.counted.lesson(h.task, c.space(), all, -1))
	}
	return c.fit(h.lesson(h.vectorise(all, c.Features, c.Value), h.labelled(use)))
}

// block returns the block of a value function, new or old. Blocks are in the
// order of their values.
func (h *trainedHead) block(v model.Value) *block {
	at, found := slices.BinarySearchFunc(h.blocks, v, func(b *block, v model.Value) int { return cmp.Compare(b.value, v) })
	if !found {
		b := &block{value: v, weights: make([]float32, len(h.ids)*len(h.labels)), target: make([][]overlay, len(h.task.targets))}
		h.blocks = slices.Insert(h.blocks, at, b)
	}
	return h.blocks[at]
}

// add adds a table, scaled.
func (b *block) add(t table, scale float64) {
	s := float32(scale)
	for i, w := range t.weights {
		b.weights[i] += float32(s * w)
	}
}

// aimed reports whether a target adds to the block.
func (b *block) aimed() bool {
	return slices.ContainsFunc(b.target, func(list []overlay) bool { return len(list) > 0 })
}

// sparse lists the rows with weights.
func (b *block) sparse(labels int) []overlay {
	var list []overlay
	for row := range len(b.weights) / labels {
		w := b.weights[row*labels:][:labels]
		if slices.ContainsFunc(w, func(x float32) bool { return x != 0 }) {
			list = append(list, overlay{uint32(row), slices.Clone(w)})
		}
	}
	return list
}

// bits is the finest scale at which the block's weights fit an int16.
func (b *block) bits() uint8 {
	largest := float32(0)
	for _, w := range b.weights {
		largest = max(largest, w, -w)
	}
	for _, of := range b.target {
		for _, o := range of {
			for _, w := range o.weights {
				largest = max(largest, w, -w)
			}
		}
	}
	bits := b.value.MaxWeightBits()
	for bits > 0 && math.Ldexp(float64(largest), int(bits)) > math.MaxInt16 {
		bits--
	}
	return bits
}

// quantise rounds to the nearest int16.
func quantise(w float32, bits uint8) int16 {
	scaled := math.Floor(math.Ldexp(float64(w), int(bits)) + 0.5)
	return int16(max(math.MinInt16, min(math.MaxInt16, scaled)))
}

// A builder puts heads side by side, one row a feature.
type builder struct {
	corpus  *corpus
	heads   []*trainedHead
	columns int
	kept    []int // the rows of the corpus that are in spec
	spec    model.Spec
}

// assemble returns the model that the heads make. Rows that say nothing are
// left out, except single words, which tell what the model has seen, those that
// a target adds to, and all rows when values are normalised: what a feature is worth depends on the
// others that are known.
func assemble(c *corpus, heads []*trainedHead, all *seen) (model.Spec, error) {
	b := &builder{corpus: c, heads: heads}
	b.spec.Features = singleWords
	normalised := false
	for i := range heads {
		b.spec.Heads = append(b.spec.Heads, heads[i].head())
		for _, m := range slices.Concat(heads[i].pooled, heads[i].aimed) {
			b.spec.Features = join(b.spec.Features, m.Features)
			normalised = normalised || m.Value.Bits() > 0
		}
		b.columns += len(heads[i].blocks) * len(heads[i].labels)
	}
	b.pooledRows(normalised, all)
	b.finish(all)
	return b.spec, b.targetRows()
}

// pooledRows fills in the rows of the features themselves.
func (b *builder) pooledRows(keepSilent bool, all *seen) {
	row, aimed := make([]int16, b.columns), b.aimed()
	for i, id := range b.corpus.ids {
		kind := b.corpus.kinds[i]
		if all.df[i] == 0 || !kind.in(b.spec.Features) {
			continue
		}
		b.fill(row, i)
		if keepSilent || kind.words == 1 || aimed[uint32(i)] || !isZero(row) {
			b.kept = append(b.kept, i)
			b.spec.IDs = append(b.spec.IDs, id)
			b.spec.Weights = append(b.spec.Weights, row...)
		}
	}
}

// aimed are the rows of the corpus that a target adds to: only what is known at
// all is looked up for a target.
func (b *builder) aimed() map[uint32]bool {
	rows := map[uint32]bool{}
	for _, h := range b.heads {
		for _, blk := range h.blocks {
			for _, list := range blk.target {
				for _, o := range list {
					rows[o.row] = true
				}
			}
		}
	}
	return rows
}

func isZero(row []int16) bool { return !slices.ContainsFunc(row, func(w int16) bool { return w != 0 }) }

// fill writes row i of the corpus.
func (b *builder) fill(row []int16, i int) {
	at := 0
	for h := range b.heads {
		n := len(b.heads[h].labels)
		for k, blk := range b.heads[h].blocks {
			for l, w := range blk.weights[i*n:][:n] {
				row[at+l] = quantise(w, b.spec.Heads[h].Blocks[k].WeightBits)
			}
			at += n
		}
	}
}

// targetRows fills in the rows of features in texts about a target.
func (b *builder) targetRows() error {
	for h := range b.heads {
		rows, err := b.heads[h].targetRows(b.corpus.ids, b.spec.Heads[h].Blocks)
		if err != nil {
			return err
		}
		head := &b.spec.Heads[h]
		for _, id := range slices.Sorted(maps.Keys(rows)) {
			head.TargetIDs, head.TargetWeights = append(head.TargetIDs, id), append(head.TargetWeights, rows[id]...)
		}
	}
	return nil
}

// targetRows returns the rows of a head's targets: a column per label of each
// block that has overlays.
func (h *trainedHead) targetRows(ids []model.FeatureID, blocks []model.Block) (map[model.FeatureID][]int16, error) {
	n, columns := len(h.labels), 0
	for _, blk := range h.blocks {
		if blk.aimed() {
			columns += n
		}
	}
	rows := map[model.FeatureID][]int16{}
	type origin struct {
		row    uint32
		target int
	}
	of := map[model.FeatureID]origin{}
	at := 0
	for k, blk := range h.blocks {
		for target, list := range blk.target {
			for _, o := range list {
				id := model.Cross(ids[o.row], h.task.targets[target])
				if rows[id] == nil {
					rows[id], of[id] = make([]int16, columns), origin{o.row, target}
				} else if of[id] != (origin{o.row, target}) {
					return nil, fmt.Errorf("two features of the texts have the same id %#x: rename a target", uint64(id))
				}
				for l, w := range o.weights {
					rows[id][at+l] = quantise(w, blocks[k].WeightBits)
				}
			}
		}
		if blk.aimed() {
			at += n
		}
	}
	maps.DeleteFunc(rows, func(_ model.FeatureID, row []int16) bool { return isZero(row) })
	return rows, nil
}

// finish sorts the rows by id and fills in the IDFs.
func (b *builder) finish(all *seen) {
	order := make([]int, len(b.spec.IDs))
	for i := range order {
		order[i] = i
	}
	ids, weights, kept := b.spec.IDs, b.spec.Weights, b.kept
	slices.SortFunc(order, func(x, y int) int { return cmp.Compare(ids[x], ids[y]) })
	b.spec.IDs, b.spec.Weights = make([]model.FeatureID, 0, len(ids)), make([]int16, 0, len(weights))
	for _, i := range order {
		b.spec.IDs = append(b.spec.IDs, ids[i])
		b.spec.Weights = append(b.spec.Weights, weights[i*b.columns:][:b.columns]...)
		if b.weighted() {
			b.spec.IDF = append(b.spec.IDF, model.IDF(all.docs, int(all.df[kept[i]])))
		}
	}
}

// weighted reports whether a block has TFIDF values.
func (b *builder) weighted() bool {
	for _, h := range b.spec.Heads {
		for _, blk := range h.Blocks {
			if blk.Value == model.TFIDF {
				return true
			}
		}
	}
	return false
}

// head returns the head as a model file holds it.
func (h *trainedHead) head() model.Head {
	all := h.labelled(func(int) bool { return true })
	head := model.Head{
		Name: h.name, Labels: h.labels, DocCounts: h.docCounts(all), Prior: h.shares(all), Bias: inUnits(h.bias),
		InverseTemperature: 1, TargetInverseTemperature: 1,
		Curve: h.curve, DecisionWeights: h.decision,
		Sets:       model.LabelSets{Coverage: h.sets.Coverage, Thresholds: h.sets.Thresholds},
		Evaluation: h.evaluation(),
	}
	for _, b := range h.blocks {
		head.Blocks = append(head.Blocks, model.Block{Value: b.value, WeightBits: b.bits(), Targets: b.aimed()})
	}
	for i, bias := range h.targets {
		about := h.labelled(func(j int) bool { return h.target[j] == i })
		head.Targets = append(head.Targets, model.Target{
			Name: h.task.targets[i], DocCounts: h.docCounts(about), Prior: h.shares(about), Bias: inUnits(bias),
		})
		head.TargetInverseTemperature = h.targetBlend.weights[0]
	}
	h.threshold(&head)
	return head
}

// threshold sets the thresholds that were asked for.
func (h *trainedHead) threshold(head *model.Head) {
	for _, t := range h.thresholds {
		if t.Label == "" {
			head.MinProbability = t.Probability
			continue
		}
		if head.LabelThresholds == nil {
			head.LabelThresholds = make([]float64, len(h.labels))
		}
		at, _ := slices.BinarySearch(h.labels, t.Label)
		head.LabelThresholds[at] = t.Probability
	}
}

func inUnits(nats []float64) []int64 {
	list := make([]int64, len(nats))
	for i, x := range nats {
		list[i] = units(x)
	}
	return list
}

func (h *trainedHead) evaluation() model.Evaluation {
	m := h.metrics
	e := model.Evaluation{
		Examples: uint64(m.Examples), Accuracy: m.Accuracy, MacroF1: m.MacroF1, MajorityAccuracy: m.MajorityAccuracy,
		ECE: m.ECE, PerfectECE: m.PerfectECE, NLL: m.NLL, Brier: m.Brier,
	}
	for _, p := range h.learning {
		e.Learning = append(e.Learning, model.LearningPoint{Examples: uint64(p.Examples), Accuracy: p.Accuracy, MacroF1: p.MacroF1})
	}
	e.Outcomes = h.outcomes()
	return e
}
