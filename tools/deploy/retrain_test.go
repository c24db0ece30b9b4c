package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	"sigs.k8s.io/yaml"
)

// The CronJob is of Kubernetes' schema, uses what the base has, and names flags that
// exist.
func TestRetrainJob(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(source, "deploy", "kubernetes", "retrain.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var job batchv1.CronJob
	if err := yaml.UnmarshalStrict(b, &job); err != nil {
		t.Fatal(err)
	}
	o := render(t)
	pod := job.Spec.JobTemplate.Spec.Template.Spec
	if pod.ServiceAccountName != o.account.Name || len(pod.Containers) != 1 {
		t.Fatalf("service account %q, %d containers", pod.ServiceAccountName, len(pod.Containers))
	}
	c := pod.Containers[0]
	if c.EnvFrom[0].ConfigMapRef.Name != "parley" || !strings.HasPrefix(container(t, o).Image, c.Image+":") {
		t.Errorf("map %+v, image %q: want the base's", c.EnvFrom, c.Image)
	}
	for _, r := range job.Spec.JobTemplate.Spec.PodFailurePolicy.Rules {
		if r.OnExitCodes.ContainerName == nil || *r.OnExitCodes.ContainerName != c.Name {
			t.Errorf("the failure policy is about another container than %q", c.Name)
		}
	}
	out, err := exec.Command(built(t), "retrain", "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	help := string(out)
	for _, arg := range c.Args[1:] {
		if name, _, _ := strings.Cut(arg, "="); !slices.Contains(flagName.FindAllString(help, -1), name) {
			t.Errorf("there is no flag %s", name)
		}
	}
	for _, v := range c.Env {
		if !strings.Contains(help, v.Name) {
			t.Errorf("there is no variable %s", v.Name)
		}
	}
	for _, name := range []string{"CLASSIFIER_SERVE_STORE", "CLASSIFIER_SERVE_MODEL_NAME"} {
		if _, has := o.config.Data[name]; !has {
			t.Errorf("the base's map has no %s", name)
		}
	}
}
