package promcheck

import (
	"encoding/json"
	"slices"
	"testing"
)

// A placed panel is one with its place.
type placed struct {
	ID          int
	Title, Type string
	GridPos     struct{ X, Y, W, H int }
	FieldConfig struct{ Defaults struct{ Unit string } }
	Datasource  struct{ UID string }
}

// The dashboard is one that Grafana's own types read without a field too many;
// panels have ids of their own, a unit, the data source that is chosen above,
// and do not lie on each other.
func TestDashboard(t *testing.T) {
	_, raw := board(t)
	var d struct{ Panels []placed }
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Panels) < 20 {
		t.Fatalf("%d panels", len(d.Panels))
	}
	for i, p := range d.Panels {
		if p.GridPos.W < 1 || p.GridPos.H < 1 || p.GridPos.X < 0 || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("the panel %q lies at %+v", p.Title, p.GridPos)
		}
		if p.Type != "row" && (p.FieldConfig.Defaults.Unit == "" || p.Datasource.UID != "${datasource}") {
			t.Errorf("the panel %q has the unit %q and the data source %q", p.Title, p.FieldConfig.Defaults.Unit, p.Datasource.UID)
		}
		if j := slices.IndexFunc(d.Panels[:i], func(q placed) bool { return q.ID == p.ID || overlap(p, q) }); j >= 0 {
			t.Errorf("the panels %q and %q have one id or place", p.Title, d.Panels[j].Title)
		}
	}
}

func overlap(a, b placed) bool {
	p, q := a.GridPos, b.GridPos
	return p.X < q.X+q.W && q.X < p.X+p.W && p.Y < q.Y+q.H && q.Y < p.Y+p.H
}
