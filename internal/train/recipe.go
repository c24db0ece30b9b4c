package train

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/parley-nlp/parley/internal/judge"
	"github.com/parley-nlp/parley/internal/model"
)

// A Recipe is how a model was made, without the data: training by it skips the
// search and, on the same rows, makes the same bytes. What is fitted (weights,
// calibration, thresholds) is fitted anew to whatever rows it is given.
type Recipe struct {
	Format    int    `json:"format"` // recipeFormat
	Objective string `json:"objective"`
	Folds     int    `json:"folds"`
	// Cut is in how many sources a feature must occur: character n-grams, single
	// words, words of two and of three.
	Cut        [4]int       `json:"cut"`
	MinSources int          `json:"min_sources"` // that was asked for
	Strings    bool         `json:"strings"`     // see Config.Strings
	Purposes   []string     `json:"purposes,omitempty"`
	Coverage   float64      `json:"coverage,omitempty"`
	Heads      []HeadRecipe `json:"heads"`
}

// A HeadRecipe lists the members of a head's blend in their order.
type HeadRecipe struct {
	Head    string         `json:"head"`
	Members []MemberRecipe `json:"members"`
	Targets []MemberRecipe `json:"target_members,omitempty"` // with a table a target
}

// A MemberRecipe is one way to train a table of weights.
type MemberRecipe struct {
	Words     int     `json:"words"`
	CharMin   int     `json:"char_min,omitempty"`
	CharMax   int     `json:"char_max,omitempty"`
	Value     string  `json:"value"`
	Estimator string  `json:"estimator"`
	Strength  float64 `json:"strength"` // alpha of naive Bayes, C of linear models
	Balanced  bool    `json:"balanced,omitempty"`
}

const (
	recipeFormat = 1
	// MaxRecipeBytes bounds what ParseRecipe reads.
	MaxRecipeBytes = 1 << 20
)

// ParseRecipe reads a recipe in JSON. A field that it does not know is an error:
// a recipe is exact or not one.
func ParseRecipe(data []byte) (*Recipe, error) {
	if len(data) > MaxRecipeBytes {
		return nil, fmt.Errorf("recipe: %d bytes: want at most %d", len(data), MaxRecipeBytes)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	r := &Recipe{}
	if err := d.Decode(r); err != nil {
		return nil, fmt.Errorf("recipe: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("recipe: there is something after the JSON object")
	}
	return r, r.check()
}

func (r *Recipe) check() error {
	switch {
	case r.Format != recipeFormat:
		return fmt.Errorf("recipe: format %d: this program reads %d", r.Format, recipeFormat)
	case len(r.Heads) == 0:
		return errors.New("recipe: it has no heads")
	}
	if _, known := objectiveOf(r.Objective); !known {
		return fmt.Errorf("recipe: objective %q: want one of %v", r.Objective, objectiveNames)
	}
	for family, n := range r.Cut {
		if n < 1 || n > MaxMinSources {
			return fmt.Errorf("recipe: %s of at least %d sources: want 1 to %d", familyNames[family], n, MaxMinSources)
		}
	}
	for i, h := range r.Heads {
		if slices.ContainsFunc(r.Heads[:i], func(o HeadRecipe) bool { return o.Head == h.Head }) {
			return fmt.Errorf("recipe: head %q is there twice", h.Head)
		}
		if err := h.check(); err != nil {
			return fmt.Errorf("recipe: head %q: %w", h.Head, err)
		}
	}
	for _, p := range r.Purposes {
		if _, err := judge.ParsePurpose(p); err != nil {
			return fmt.Errorf("recipe: %w", err)
		}
	}
	cfg := r.config()
	return cfg.check()
}

func (h *HeadRecipe) check() error {
	if len(h.Members) == 0 {
		return errors.New("it has no members")
	}
	if n := max(len(h.Members), len(h.Targets)); n > maxMembers {
		return fmt.Errorf("%d members: want at most %d", n, maxMembers)
	}
	for _, m := range slices.Concat(h.Members, h.Targets) {
		c, err := m.candidate()
		if err != nil {
			return err
		}
		if _, err := model.NewExtractor(c.Features, 0); err != nil {
			return err
		}
	}
	return nil
}

func (m *MemberRecipe) features() model.Features {
	return model.Features{Words: m.Words, CharMin: m.CharMin, CharMax: m.CharMax}
}

func (m *MemberRecipe) candidate() (candidate, error) {
	value, err := model.ParseValue(m.Value)
	if err != nil {
		return candidate{}, err
	}
	estimator, err := ParseEstimator(m.Estimator)
	if err != nil {
		return candidate{}, err
	}
	if !(m.Strength >= MinStrength && m.Strength <= MaxStrength) {
		return candidate{}, fmt.Errorf("strength %v: want %v to %v", m.Strength, MinStrength, MaxStrength)
	}
	return candidate{Features: m.features(), Value: value, Estimator: estimator, Strength: m.Strength, Balanced: m.Balanced}, nil
}

func (c *contender) recipe() MemberRecipe {
	f := c.Features
	return MemberRecipe{
		Words: f.Words, CharMin: f.CharMin, CharMax: f.CharMax, Value: c.Value.String(),
		Estimator: c.Estimator.String(), Strength: c.Strength, Balanced: c.Balanced,
	}
}

// config is the configuration that trains by the recipe. A head that the recipe
// does not have is searched for among the usual candidates.
func (r *Recipe) config() Config {
	cfg := Default()
	cfg.Recipe = r
	cfg.Objective, _ = objectiveOf(r.Objective)
	cfg.Folds, cfg.MinSources, cfg.Strings = r.Folds, r.MinSources, r.Strings
	cfg.Purposes, cfg.Coverage, cfg.Prune = r.Purposes, r.Coverage, false
	return cfg
}

// Config is the configuration that trains by the recipe. A head that the recipe
// does not have is searched for.
func (r *Recipe) Config() Config { return r.config() }

// featuresFor are the feature sets that a training of these heads reads.
func (r *Recipe) featuresFor(heads []string, search []model.Features) []model.Features {
	var list []model.Features
	for _, name := range heads {
		h := r.head(name)
		if h == nil {
			list = append(list, search...)
			continue
		}
		for _, m := range slices.Concat(h.Members, h.Targets) {
			list = append(list, m.features())
		}
	}
	return list
}

// head is the recipe of a head, or nil.
func (r *Recipe) head(name string) *HeadRecipe {
	for i := range r.Heads {
		if r.Heads[i].Head == name {
			return &r.Heads[i]
		}
	}
	return nil
}

// cut is that of the features, by family.
func (r *Recipe) cut() cut {
	var all cut
	for family, n := range r.Cut {
		all[family] = uint8(n)
	}
	return all
}

// cook judges the members of a recipe out of fold and blends them: what choose
// does with those that it has chosen.
func (t *task) cook(ctx context.Context, r *HeadRecipe, step func()) (ensemble, error) {
	e := ensemble{task: t}
	var err error
	if e.pooled, err = t.contenders(r.Members, pooled); err != nil {
		return e, err
	}
	if len(t.targets) > 0 {
		if e.aimed, err = t.contenders(r.Targets, perTarget); err != nil {
			return e, err
		}
	}
	if t.folds == 0 { // nothing can be held out: scores are taken as they are
		e.pooled, e.aimed = e.pooled[:1], nil
		e.pooledBlend = blend{[]float64{1}, make([]float64, len(t.labels))}
		return e, nil
	}
	s := &search{task: t, step: step, use: func(int) bool { return true }}
	s.judge(ctx, e.pooled, 0, t.folds)
	s.judge(ctx, e.aimed, 0, t.folds)
	if ctx.Err() == nil {
		e.blend(t.evident(func(int) bool { return true }))
	}
	return e, context.Cause(ctx)
}

func (t *task) contenders(members []MemberRecipe, sc scope) ([]*contender, error) {
	var list []*contender
	for _, m := range members {
		c, err := m.candidate()
		if err != nil {
			return nil, err
		}
		list = append(list, &contender{candidate: c, scope: sc, scores: make([]float32, len(t.examples)*len(t.labels))})
	}
	return list, nil
}

// recipe is how the heads were made.
func recipe(heads []*trainedHead, cfg *Config) *Recipe {
	r := &Recipe{
		Format: recipeFormat, Objective: objectiveNames[cfg.Objective], Folds: cfg.Folds, MinSources: cfg.MinSources,
		Strings: cfg.Strings, Purposes: cfg.Purposes, Coverage: cfg.Coverage,
	}
	for family, n := range heads[0].cut {
		r.Cut[family] = int(n)
	}
	for _, h := range heads {
		of := HeadRecipe{Head: h.name}
		for _, c := range h.pooled {
			of.Members = append(of.Members, c.recipe())
		}
		for _, c := range h.aimed {
			of.Targets = append(of.Targets, c.recipe())
		}
		r.Heads = append(r.Heads, of)
	}
	return r
}

var objectiveNames = [...]string{MacroF1: "macro-f1", Accuracy: "accuracy"}

func objectiveOf(name string) (Objective, bool) {
	at := slices.Index(objectiveNames[:], name)
	return Objective(max(at, 0)), at >= 0
}
