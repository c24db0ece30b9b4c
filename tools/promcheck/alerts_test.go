package promcheck

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/promqltest"
)

// well is what a server in good health exports, for two hours.
const well = `
parley_ready{job="p",instance="a"} 1x120
parley_ready{job="p",instance="b"} 1x120
parley_calls_total{job="p",instance="a",method="Classify",code="OK"} 0+6000x120
parley_calls_total{job="p",instance="a",method="Classify",code="InvalidArgument"} 0+600x120
parley_calls_total{job="p",instance="a",method="Classify",code="Internal"} 0x120
parley_calls_total{job="p",instance="a",method="BatchCreateLabels",code="OK"} 0+60x120
parley_calls_total{job="p",instance="a",method="BatchCreateLabels",code="Unavailable"} 3x120
parley_call_duration_seconds_bucket{job="p",instance="a",method="Classify",le="0.001"} 0+5990x120
parley_call_duration_seconds_bucket{job="p",instance="a",method="Classify",le="0.25"} 0+6000x120
parley_call_duration_seconds_bucket{job="p",instance="a",method="Classify",le="1"} 0+6000x120
parley_call_duration_seconds_bucket{job="p",instance="a",method="Classify",le="+Inf"} 0+6000x120
parley_refusals_total{job="p",instance="a",reason="overloaded"} 0+1x120
parley_refusals_total{job="p",instance="a",reason="memory"} 0x120
parley_refusals_total{job="p",instance="a",reason="unknown_key"} 0+1x120
parley_model_loads_total{job="p",instance="a",result="ok"} 0+1x120
parley_model_loads_total{job="p",instance="a",result="corrupt"} 3x120
parley_store_last_check_timestamp_seconds{job="p",instance="a"} 0+60x120
parley_store_last_check_timestamp_seconds{job="p",instance="without a store"} 0x120
parley_revision_info{job="p",instance="a",alias="live",revision="r1"} 1x120
parley_live_revision_withdrawn{job="p",instance="a"} 0x120
parley_revision_info{job="p",instance="b",alias="live",revision="r1"} 1x120
parley_revision_info{job="p",instance="b",alias="shadow",revision="r2"} 1x120
parley_shadow_compared_total{job="p",instance="a",head="topic"} 0+100x120
parley_shadow_same_label_total{job="p",instance="a",head="topic"} 0+97x120
parley_drift_documents{job="p",instance="a"} 9500x120
parley_drift_psi{job="p",instance="a",head="topic"} 0.05x120
parley_drift_psi{job="p",instance="a",head="stance"} 0.02x120
parley_drift_confidence{job="p",instance="a",head="topic"} 0.9x120
parley_drift_training_accuracy{job="p",instance="a",head="topic"} 0.91x120
parley_drift_unfamiliar_share{job="p",instance="a"} 0.01x120
parley_file_reloads_total{job="p",instance="a",result="ok"} 0+1x120
parley_file_reloads_total{job="p",instance="a",result="failed"} 2x120
parley_prediction_log_rows_total{job="p",instance="a",outcome="written"} 0+9x120
parley_prediction_log_rows_total{job="p",instance="a",outcome="dropped"} 0x120
parley_prediction_log_rows_total{job="p",instance="a",outcome="failed"} 0x120
`

// wrong is what makes each alert fire: series in the place of those in well, by
// their names and labels.
var wrong = map[string]string{
	"ParleyNoServerReady": `
parley_ready{job="p",instance="a"} 0x120
parley_ready{job="p",instance="b"} 0x120`,
	"ParleyServerNotReady": `parley_ready{job="p",instance="b"} 0x120`,
	"ParleyErrors":         `parley_calls_total{job="p",instance="a",method="Classify",code="Internal"} 0+100x120`,
	"ParleyLedgerAway":     `parley_calls_total{job="p",instance="a",method="BatchCreateLabels",code="Unavailable"} 3+2x120`,
	"ParleySlow": `
parley_call_duration_seconds_bucket{job="p",instance="a",method="Classify",le="0.001"} 0+5800x120
parley_call_duration_seconds_bucket{job="p",instance="a",method="Classify",le="0.25"} 0+5900x120`,
	"ParleyShedsLoad":              `parley_refusals_total{job="p",instance="a",reason="overloaded"} 0+2000x120`,
	"ParleyLoadsFail":              `parley_model_loads_total{job="p",instance="a",result="corrupt"} 3x100 4x20`,
	"ParleyStoreCheckStale":        `parley_store_last_check_timestamp_seconds{job="p",instance="a"} 0+60x90 5400x30`,
	"ParleyRevisionsDiffer":        `parley_revision_info{job="p",instance="b",alias="live",revision="r2"} 1x120`,
	"ParleyLiveRevisionWithdrawn":  `parley_live_revision_withdrawn{job="p",instance="a"} 1x120`,
	"ParleyShadowDisagrees":        `parley_shadow_same_label_total{job="p",instance="a",head="topic"} 0+80x120`,
	"ParleyLabelMixDrifts":         `parley_drift_psi{job="p",instance="a",head="stance"} 0.3x120`,
	"ParleyConfidenceDrops":        `parley_drift_confidence{job="p",instance="a",head="topic"} 0.7x120`,
	"ParleyTextsUnfamiliar":        `parley_drift_unfamiliar_share{job="p",instance="a"} 0.2x120`,
	"ParleyFileReloadsFail":        `parley_file_reloads_total{job="p",instance="a",result="failed"} 2x100 3x20`,
	"ParleyCallersRefused":         `parley_refusals_total{job="p",instance="a",reason="unknown_key"} 0+600x120`,
	"ParleyPredictionLogLosesRows": `parley_prediction_log_rows_total{job="p",instance="a",outcome="dropped"} 0+5x120`,
}

// alsoFire are alerts that the same trouble raises too.
var alsoFire = map[string][]string{"ParleyNoServerReady": {"ParleyServerNotReady"}}

// at is when the alerts are looked at, in the series above.
const at = 105 * time.Minute

// with replaces series of well.
func with(changed string) string {
	key := func(line string) string { return line[:strings.LastIndexByte(line, '}')+1] }
	replaced := map[string]string{}
	for line := range strings.Lines(strings.TrimSpace(changed)) {
		if line = strings.TrimSpace(line); line != "" {
			replaced[key(line)] = line
		}
	}
	out := []string{"load 1m"}
	for line := range strings.Lines(strings.TrimSpace(well)) {
		line = strings.TrimSpace(line)
		if r, ok := replaced[key(line)]; ok {
			delete(replaced, key(line))
			line = r
		}
		out = append(out, "  "+line)
	}
	for _, k := range slices.Sorted(maps.Keys(replaced)) {
		out = append(out, "  "+replaced[k])
	}
	return strings.Join(out, "\n") + "\n"
}

// firing returns the alerts that fire on these series.
func firing(t *testing.T, series string) []string {
	t.Helper()
	storage := promqltest.LoadedStorage(t, series)
	defer storage.Close()
	engine := promqltest.NewTestEngine(t, false, 5*time.Minute, 1_000_000)
	var names []string
	for name, rule := range alerts(t) {
		q, err := engine.NewInstantQuery(t.Context(), storage, nil, rule.Expr, time.Unix(0, 0).Add(at))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		result := q.Exec(t.Context())
		if result.Err != nil {
			t.Fatalf("%s: %v", name, result.Err)
		}
		if v, ok := result.Value.(promql.Vector); ok && len(v) > 0 {
			names = append(names, name)
		}
		q.Close()
	}
	slices.Sort(names)
	return names
}

// Every alert fires on the trouble that it is about, alone, and none does when
// all is well.
func TestAlerts(t *testing.T) {
	if names := firing(t, with("")); len(names) > 0 {
		t.Errorf("all is well, and these fire: %q", names)
	}
	for name, rule := range alerts(t) {
		if wrong[name] == "" {
			t.Errorf("the alert %s has no test", name)
		}
		if rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" || rule.Labels["severity"] == "" {
			t.Errorf("the alert %s lacks a summary, a description or a severity", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(wrong)) {
		want := append([]string{name}, alsoFire[name]...)
		slices.Sort(want)
		if names := firing(t, with(wrong[name])); !slices.Equal(names, want) {
			t.Errorf("%s: these fire: %q, want %q", name, names, want)
		}
	}
}

// Few documents are no reason to speak of drift.
func TestDriftNeedsDocuments(t *testing.T) {
	few := with(wrong["ParleyLabelMixDrifts"] + "\n" + wrong["ParleyConfidenceDrops"] + "\n" + wrong["ParleyTextsUnfamiliar"] + "\n" +
		`parley_drift_documents{job="p",instance="a"} 300x120`)
	if names := firing(t, few); len(names) > 0 {
		t.Errorf("after 300 documents these fire: %q", names)
	}
}
