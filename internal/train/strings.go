package train

import "github.com/parley-nlp/parley/internal/model"

// strings returns what features are, ascending by id, in a pass over the texts.
func (c *corpus) strings(ids []model.FeatureID) []string {
	list := make([]string, len(ids))
	at := newIDTable(ids)
	x, _ := model.NewExtractor(c.features, 0) // the corpus has seen the error
	c.pass(func(batch []numbered) {
		for _, ex := range batch {
			features := x.Extract(ex.Text)
			row := func(i int) int { return at.find(features[i].ID) }
			x.Strings(
				func(i int) bool { r := row(i); return r >= 0 && list[r] == "" },
				func(i int, s string) { list[row(i)] = s },
			)
		}
	})
	return list
}
