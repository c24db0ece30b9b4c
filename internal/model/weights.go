package model

import "math"

// FeatureID returns the id of feature i, of FeatureCount. Ids ascend.
func (m *Model) FeatureID(i int) FeatureID { return m.table.id(uint32(i)) }

// AppendWeights appends what feature i adds to the score of each label of a head,
// in nats, in a text that has it once and none other of its kind (such as single
// words): there its value is 1 in every block. Weights of targets do not count.
func (m *Model) AppendWeights(weights []float64, i, head int) []float64 {
	start := len(weights)
	h := &m.spec.Heads[head]
	weights = append(weights, make([]float64, len(h.Labels))...)
	for b, block := range h.Blocks {
		for l := range h.Labels {
			w := m.table.weight(uint32(i), m.table.first[head][b]+l)
			weights[start+l] += math.Ldexp(float64(w), -int(block.WeightBits))
		}
	}
	return weights
}
