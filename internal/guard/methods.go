package guard

import (
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/reflection/grpc_reflection_v1alpha"

	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// A methodRule is what the guard does with calls of one.
type methodRule struct {
	open    bool // to anybody, at any time
	needs   Role // any of these; 0: whoever has a credential
	counted bool // as work in flight
	expects *expectation
	limited bool // in number: it waits for a database, not for a processor
}

// methodRules lists the methods of the services by full name.
func methodRules() map[string]methodRule {
	list := map[string]methodRule{}
	for _, desc := range []grpc.ServiceDesc{parleyv1.ClassificationService_ServiceDesc, parleyv1.ModelService_ServiceDesc, parleyv1.LabelService_ServiceDesc} {
		for _, m := range desc.Methods {
			name := "/" + desc.ServiceName + "/" + m.MethodName
			list[name] = newMethodRule(name)
		}
	}
	return list
}

// rule returns what to do with calls of the method of that name.
func (g *Guard) rule(name string) methodRule {
	if m, ok := g.rules[name]; ok {
		return m
	}
	m := newMethodRule(name)
	if name == reflectionV1 || name == reflectionV1Alpha {
		m.open = !g.cfg.Security.ClosedReflection
	}
	return m
}

const (
	classificationPrefix = "/parley.v1.ClassificationService/"
	modelPrefix          = "/parley.v1.ModelService/"
	labelPrefix          = "/parley.v1.LabelService/"
	healthPrefix         = "/grpc.health.v1.Health/"

	reflectionV1      = grpc_reflection_v1.ServerReflection_ServerReflectionInfo_FullMethodName
	reflectionV1Alpha = grpc_reflection_v1alpha.ServerReflection_ServerReflectionInfo_FullMethodName
)

func newMethodRule(name string) methodRule {
	switch {
	case strings.HasPrefix(name, classificationPrefix):
		return methodRule{needs: Scorer, counted: true, expects: &expectation{}}
	case strings.HasPrefix(name, modelPrefix+"Get"), strings.HasPrefix(name, modelPrefix+"List"):
		return methodRule{needs: Reader | Operator, counted: true, expects: &expectation{}}
	case strings.HasPrefix(name, modelPrefix):
		// Not counted: a model that makes calls slow must be rolled back while
		// they are.
		return methodRule{needs: Operator}
	case strings.HasPrefix(name, labelPrefix):
		return methodRule{needs: labelNeeds(name), limited: true}
	case strings.HasPrefix(name, healthPrefix):
		return methodRule{open: true}
	}
	return methodRule{} // another service, or none: what there is is nobody's business without a credential
}

// labelNeeds is who may call a method of LabelService, which looks itself in whose
// name a caller may speak and whose labels it may read.
func labelNeeds(name string) Role {
	switch name {
	case parleyv1.LabelService_BatchCreateLabels_FullMethodName:
		return Labeler | Relay | Curator
	case parleyv1.LabelService_SuggestDocuments_FullMethodName, parleyv1.LabelService_SkipDocument_FullMethodName:
		return Labeler | Relay
	case parleyv1.LabelService_ListLabels_FullMethodName:
		return Labeler | Relay | Auditor | Curator
	case parleyv1.LabelService_ListConflicts_FullMethodName:
		return Auditor | Curator
	case parleyv1.LabelService_ConfirmLabels_FullMethodName:
		return Curator
	}
	return Eraser // ForgetTexts, and what there is not
}
