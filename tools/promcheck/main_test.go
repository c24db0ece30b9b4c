package promcheck

import (
	"encoding/json"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

const (
	alertsFile    = "../../deploy/prometheus/alerts.yaml"
	dashboardFile = "../../deploy/grafana/parley.json"
)

var syntax = parser.NewParser(parser.Options{})

// alerts returns the alerts by name, as Prometheus reads them.
func alerts(t *testing.T) map[string]rulefmt.Rule {
	t.Helper()
	groups, errs := rulefmt.ParseFile(alertsFile, false, model.LegacyValidation, syntax, slog.Default())
	for _, err := range errs {
		t.Fatal(err)
	}
	all := map[string]rulefmt.Rule{}
	for _, g := range groups.Groups {
		for _, r := range g.Rules {
			if r.Alert == "" || all[r.Alert].Alert != "" {
				t.Errorf("group %s: an alert without a name, or the second %q", g.Name, r.Alert)
			}
			all[r.Alert] = r
		}
	}
	if len(all) == 0 {
		t.Fatalf("%s has no alerts", alertsFile)
	}
	return all
}

// board returns the dashboard as Grafana's types read it, which know every
// field.
func board(t *testing.T) (dashboard.Dashboard, []byte) {
	t.Helper()
	plugins.RegisterDefaultPlugins()
	b, err := os.ReadFile(dashboardFile)
	if err != nil {
		t.Fatal(err)
	}
	var d dashboard.Dashboard
	if err := d.UnmarshalJSONStrict(b); err != nil && err.Error() != "" { // without a fault it returns an empty list
		t.Fatalf("%s: %v", dashboardFile, err)
	}
	if err := d.Validate(); err != nil {
		t.Fatalf("%s: %v", dashboardFile, err)
	}
	return d, b
}

// variables stands for what Grafana puts into expressions.
var variables = strings.NewReplacer("$__rate_interval", "5m", "$job", ".*", "$instance", ".*", "$head", ".*")

// expressions returns the PromQL of every panel by title, and that of
// annotations and variables.
func expressions(t *testing.T, raw []byte) map[string][]string {
	t.Helper()
	type target struct{ Expr string }
	var d struct {
		Annotations struct {
			List []struct{ Name, Expr string }
		}
		Templating struct {
			List []struct {
				Name  string
				Query json.RawMessage
			}
		}
		Panels []struct {
			Title, Type string
			Targets     []target
		}
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for _, a := range d.Annotations.List {
		all["annotation "+a.Name] = []string{variables.Replace(a.Expr)}
	}
	for _, v := range d.Templating.List {
		var q struct{ Query string }
		if json.Unmarshal(v.Query, &q) == nil && strings.HasPrefix(q.Query, "label_values(") {
			metric, label, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(q.Query, "label_values("), ")"), ", ")
			all["variable "+v.Name] = []string{"sum by (" + label + ") (" + variables.Replace(metric) + ")"}
		}
	}
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			all[p.Title] = append(all[p.Title], variables.Replace(target.Expr))
		}
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("the panel %q asks for nothing", p.Title)
		}
	}
	return all
}
