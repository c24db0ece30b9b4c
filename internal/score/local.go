package score

import "github.com/parley-nlp/parley/internal/model"

// ModelOf returns the model that c uses, nil when a server answers.
func ModelOf(c Classifier) *model.Model {
	if l, ok := c.(*local); ok {
		return l.model
	}
	return nil
}
