package train

import (
	"reflect"
	"slices"
	"testing"

	"github.com/parley-nlp/parley/internal/model"
)

// budgeted are a task and the candidates of the default search.
func budgeted(t *testing.T) (*task, []candidate) {
	t.Helper()
	cfg := Default()
	return prepared(t, generated(1, 80), twoHeads, ShortText, 3)[0], cfg.candidates()
}

func TestAffordableKeepsOrderAndCounts(t *testing.T) {
	task, all := budgeted(t)
	for budget := int64(1); budget < 1<<36; budget *= 2 {
		kept, left := task.affordable(all, budget)
		again, _ := task.affordable(all, budget)
		if !reflect.DeepEqual(kept, again) {
			t.Errorf("budget %d: two runs differ", budget)
		}
		if len(kept) == 0 || len(kept)+left != len(all) {
			t.Errorf("budget %d: %d kept and %d left out of %d", budget, len(kept), left, len(all))
		}
		at := -1
		for _, c := range kept {
			next := slices.Index(all, c)
			if next <= at {
				t.Fatalf("budget %d: %s is out of order", budget, c)
			}
			at = next
		}
	}
}

// A budget is kept to, but for the one candidate that there has to be, and a
// larger one leaves out no candidate of the first tier that a smaller one allows.
func TestAffordableKeepsToTheBudget(t *testing.T) {
	task, all := budgeted(t)
	sizes := task.sizes(all)
	var before []candidate
	for budget := int64(1); budget < 1<<36; budget *= 2 {
		kept, _ := task.affordable(all, budget)
		work := int64(0)
		for _, c := range kept {
			work += c.work(sizes[c.Features], int64(len(task.labels)))
		}
		if len(kept) > 1 && work > budget {
			t.Errorf("budget %d: %d candidates of work %d", budget, len(kept), work)
		}
		for _, c := range before {
			if c.tier == 0 && !slices.Contains(kept, c) {
				t.Errorf("budget %d: %s is left out, not so with half of it", budget, c)
			}
		}
		before = kept
	}
	if len(before) != len(all) {
		t.Errorf("%d of %d candidates with all the budget there is", len(before), len(all))
	}
	if one, _ := task.affordable(all, 1); len(one) != 1 {
		t.Errorf("%d candidates without a budget, want 1", len(one))
	}
}

func TestSizes(t *testing.T) {
	task := prepared(t, generated(1, 40), twoHeads, ShortText, 3)[0]
	for _, f := range []model.Features{{Words: 1}, {Words: 2}, {Words: 3, CharMin: 2, CharMax: 5}} {
		docs := task.vectorise(task.everything(), f, model.Binary)
		used := map[uint32]bool{}
		for _, row := range docs.rows {
			used[row] = true
		}
		want := spaceSize{int64(len(docs.rows)), int64(len(used))}
		if got := task.sizes([]candidate{{Features: f}})[f]; got != want {
			t.Errorf("%s: got %+v, want %+v", f, got, want)
		}
	}
}

// What is left out is reported.
func TestBudgetIsReported(t *testing.T) {
	cfg := quick()
	cfg.Budget = 1
	_, r := mustTrain(t, generated(1, 60), twoHeads, cfg)
	want := len(cfg.candidates()) - 1
	for _, h := range r.Heads {
		if h.Untried != want || len(h.Candidates) != 1 {
			t.Errorf("%s: %d untried, %d tried; want %d, 1", h.Head, h.Untried, len(h.Candidates), want)
		}
	}
}
