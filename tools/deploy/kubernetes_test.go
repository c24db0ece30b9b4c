package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// The objects of the base, as kustomize renders them.
type objects struct {
	deployment appsv1.Deployment
	service    corev1.Service
	account    corev1.ServiceAccount
	config     corev1.ConfigMap
	budget     policyv1.PodDisruptionBudget
	autoscaler autoscalingv2.HorizontalPodAutoscaler
	network    networkingv1.NetworkPolicy
}

// render decodes every object into Kubernetes' own types: a field that these do
// not have, or of another type, is an error.
func render(t *testing.T) *objects {
	t.Helper()
	k := krusty.MakeKustomizer(krusty.MakeDefaultOptions())
	list, err := k.Run(filesys.MakeFsOnDisk(), filepath.Join(source, "deploy", "kubernetes"))
	if err != nil {
		t.Fatal(err)
	}
	o := &objects{}
	into := map[string]any{
		"apps/v1 Deployment": &o.deployment, "v1 Service": &o.service, "v1 ServiceAccount": &o.account, "v1 ConfigMap": &o.config,
		"policy/v1 PodDisruptionBudget": &o.budget, "autoscaling/v2 HorizontalPodAutoscaler": &o.autoscaler,
		"networking.k8s.io/v1 NetworkPolicy": &o.network,
	}
	for _, r := range list.Resources() {
		kind := r.GetApiVersion() + " " + r.GetKind()
		object, ok := into[kind]
		if !ok {
			t.Errorf("%s %s is there twice, or not known to this test", kind, r.GetName())
			continue
		}
		delete(into, kind)
		b, err := r.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.UnmarshalStrict(b, object); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if r.GetNamespace() != "" {
			t.Errorf("%s is of the namespace %s", kind, r.GetNamespace())
		}
	}
	for kind := range into {
		t.Errorf("there is no %s", kind)
	}
	return o
}

// Strict decoding must notice what is not of the schema, or the test above
// proves nothing.
func TestStrictDecodingIsStrict(t *testing.T) {
	for _, bad := range []string{
		"spec: {replicaz: 3}", "spec: {replicas: three}", "spec: {template: {spec: {containers: [{name: a, imagee: b}]}}}",
	} {
		if err := yaml.UnmarshalStrict([]byte(bad), &appsv1.Deployment{}); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

func container(t *testing.T, o *objects) corev1.Container {
	t.Helper()
	list := o.deployment.Spec.Template.Spec.Containers
	if len(list) != 1 {
		t.Fatalf("%d containers", len(list))
	}
	return list[0]
}

func TestManifestsNameFlagsThatExist(t *testing.T) {
	o := render(t)
	c := container(t, o)
	checkServeArgs(t, c.Args)
	if len(c.Command) > 0 {
		t.Errorf("the command %q takes the place of the image's", c.Command)
	}
	for name := range o.config.Data {
		checkServeVariable(t, name)
	}
	if len(c.EnvFrom) != 1 || c.EnvFrom[0].ConfigMapRef == nil || c.EnvFrom[0].ConfigMapRef.Name != o.config.Name {
		t.Errorf("variables come from %+v, the map is %s", c.EnvFrom, o.config.Name)
	}
	checkDrain(t, c.Args, time.Duration(*o.deployment.Spec.Template.Spec.TerminationGracePeriodSeconds)*time.Second)
	checkMemory(t, c.Args, c.Resources.Limits.Memory().String())
}

func argument(t *testing.T, args []string, name string) string {
	t.Helper()
	for _, a := range args {
		if value, ok := strings.CutPrefix(a, name+"="); ok {
			return value
		}
	}
	t.Fatalf("there is no %s in %q", name, args)
	return ""
}

// checkDrain wants a drain to fit into the time that the process has to end.
func checkDrain(t *testing.T, args []string, limit time.Duration) {
	t.Helper()
	drain := duration(t, argument(t, args, "--drain-delay")) + duration(t, argument(t, args, "--drain-timeout"))
	if drain+3*time.Second > limit {
		t.Errorf("draining may take %s, the process is killed after %s", drain, limit)
	}
}

// checkMemory wants the server to shed load before it is killed for its memory.
func checkMemory(t *testing.T, args []string, limit string) {
	t.Helper()
	own := resource.MustParse(strings.TrimSuffix(argument(t, args, "--memory-limit"), "B"))
	most := resource.MustParse(limit)
	if share := float64(own.Value()) / float64(most.Value()); share < 0.8 || share > 0.95 {
		t.Errorf("--memory-limit is %.2f of the limit %s", share, limit)
	}
}

func TestManifestsFitTogether(t *testing.T) {
	o := render(t)
	pod := labels.Set(o.deployment.Spec.Template.Labels)
	selectors := map[string]*metav1.LabelSelector{
		"Deployment": o.deployment.Spec.Selector, "PodDisruptionBudget": o.budget.Spec.Selector, "NetworkPolicy": &o.network.Spec.PodSelector,
		"Service": {MatchLabels: o.service.Spec.Selector},
	}
	for _, spread := range o.deployment.Spec.Template.Spec.TopologySpreadConstraints {
		selectors["spread over "+spread.TopologyKey] = spread.LabelSelector
	}
	if len(selectors) != 6 {
		t.Errorf("%d selectors", len(selectors))
	}
	for name, s := range selectors {
		selector, err := metav1.LabelSelectorAsSelector(s)
		if err != nil || selector.Empty() || !selector.Matches(pod) {
			t.Errorf("%s does not select the pods: %v, %v", name, selector, err)
		}
	}
	target := o.autoscaler.Spec.ScaleTargetRef
	if target.Kind != "Deployment" || target.Name != o.deployment.Name || target.APIVersion != "apps/v1" || o.deployment.Spec.Replicas != nil {
		t.Errorf("the autoscaler scales %+v; replicas %v", target, o.deployment.Spec.Replicas)
	}
	if *o.autoscaler.Spec.MinReplicas < 2 || o.autoscaler.Spec.MaxReplicas <= *o.autoscaler.Spec.MinReplicas {
		t.Errorf("%d to %d replicas", *o.autoscaler.Spec.MinReplicas, o.autoscaler.Spec.MaxReplicas)
	}
	if o.service.Spec.ClusterIP != corev1.ClusterIPNone {
		t.Errorf("the service has the address %q: want none, so that clients see every pod", o.service.Spec.ClusterIP)
	}
	if o.deployment.Spec.Template.Spec.ServiceAccountName != o.account.Name {
		t.Errorf("service account %q", o.deployment.Spec.Template.Spec.ServiceAccountName)
	}
}

func TestPortsAndProbes(t *testing.T) {
	o := render(t)
	c := container(t, o)
	ports := map[string]int32{}
	for _, p := range c.Ports {
		ports[p.Name] = p.ContainerPort
	}
	if argument(t, c.Args, "--addr") != ":50051" || ports["grpc"] != 50051 || argument(t, c.Args, "--admin-addr") != ":9090" || ports["admin"] != 9090 {
		t.Errorf("arguments %q, ports %v", c.Args, ports)
	}
	for _, p := range o.service.Spec.Ports {
		if ports[p.TargetPort.StrVal] != p.Port {
			t.Errorf("the service sends %d to %q", p.Port, p.TargetPort.StrVal)
		}
	}
	for name, probe := range map[string]struct {
		*corev1.Probe
		path string
	}{"startup": {c.StartupProbe, "/readyz"}, "readiness": {c.ReadinessProbe, "/readyz"}, "liveness": {c.LivenessProbe, "/healthz"}} {
		if probe.Probe == nil || probe.HTTPGet == nil || ports[probe.HTTPGet.Port.StrVal] != 9090 || probe.HTTPGet.Path != probe.path {
			t.Errorf("%s probe %+v", name, probe.Probe)
		}
	}
	open := map[int32]bool{}
	for _, rule := range o.network.Spec.Ingress {
		for _, p := range rule.Ports {
			open[p.Port.IntVal] = len(rule.From) > 0
		}
	}
	if len(open) != 2 || !open[50051] || !open[9090] {
		t.Errorf("open to some: %v", open)
	}
}

func TestPodIsRestricted(t *testing.T) {
	o := render(t)
	spec, c := o.deployment.Spec.Template.Spec, container(t, o)
	p, s := spec.SecurityContext, c.SecurityContext
	switch {
	case p == nil || s == nil:
		t.Fatal("no security context")
	case !*p.RunAsNonRoot || *p.RunAsUser != user || p.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault:
		t.Errorf("pod %+v", p)
	case *s.AllowPrivilegeEscalation || !*s.ReadOnlyRootFilesystem || len(s.Capabilities.Drop) != 1 || s.Capabilities.Drop[0] != "ALL":
		t.Errorf("container %+v", s)
	case *spec.AutomountServiceAccountToken || *o.account.AutomountServiceAccountToken:
		t.Error("the pod gets a token that it does not need")
	case c.Resources.Limits.Memory().IsZero() || c.Resources.Requests.Cpu().IsZero() || c.Resources.Requests.Memory().IsZero():
		t.Errorf("resources %+v", c.Resources)
	}
	mounts := map[string]string{}
	for _, m := range c.VolumeMounts {
		mounts[m.Name] = m.MountPath
	}
	for _, v := range spec.Volumes {
		if v.Secret == nil || mounts[v.Name] == "" {
			t.Errorf("volume %s is no secret, or mounted nowhere", v.Name)
		}
	}
	for _, name := range []string{"--tls-cert", "--tls-key"} {
		if path := argument(t, c.Args, name); filepath.Dir(path) != mounts["tls"] {
			t.Errorf("%s is %s, the secret is at %s", name, path, mounts["tls"])
		}
	}
	if path := argument(t, c.Args, "--keys-file"); filepath.Dir(path) != mounts["keys"] {
		t.Errorf("--keys-file is %s, the secret is at %s", path, mounts["keys"])
	}
}
