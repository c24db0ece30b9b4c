package guard

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
)

// A Role is a set of what a caller may do.
type Role uint16

// The roles. Health checks need none. Those of labels are apart from those of
// models: who promotes revisions need not see texts, and who labels need not be able
// to erase or to settle what others say.
const (
	Scorer   Role = 1 << iota   // calls ClassificationService
	Reader                      // calls what reads in ModelService
	Operator                    // calls all of ModelService
	Labeler                     // gives labels in its own name, and works off the queue
	Relay                       // the same in the name of others: a tool that many label with
	Auditor                     // reads all labels, and where annotators disagree
	Curator                     // the same, settles disagreements, and lets labels out of quarantine
	Eraser                      // forgets texts
	Admin    Role = 1<<iota - 1 // calls everything
)

// A namedRole is a role that has a name.
type namedRole struct {
	role Role
	name string
}

var roleNames = []namedRole{
	{Admin, "admin"}, {Scorer, "scorer"}, {Reader, "reader"}, {Operator, "operator"},
	{Labeler, "labeler"}, {Relay, "relay"}, {Auditor, "auditor"}, {Curator, "curator"}, {Eraser, "eraser"},
}

// ParseRole reads the names of roles, separated by +.
func ParseRole(names string) (Role, error) {
	var all Role
	for name := range strings.SplitSeq(names, "+") {
		i := slices.IndexFunc(roleNames, func(r namedRole) bool { return r.name == name })
		if i < 0 {
			return 0, fmt.Errorf("role %q: want scorer, reader, operator, labeler, relay, auditor, curator, eraser or admin, several separated by +", name)
		}
		all |= roleNames[i].role
	}
	return all, nil
}

// String returns the names as ParseRole reads them.
func (r Role) String() string {
	var names []string
	for _, known := range roleNames {
		if r&known.role == known.role {
			names = append(names, known.name)
			r &^= known.role
		}
	}
	return strings.Join(names, "+")
}

// A CertificateRole gives a role to the client certificates with a name that
// fits.
type CertificateRole struct {
	role    Role
	pattern string
}

// ParseCertificateRoles reads ROLE=PATTERN,PATTERN,... A pattern is dns:NAME
// for a DNS name of the certificate, a URI such as spiffe://example/job for a
// URI of it, or * for every certificate. In a name one * stands for any
// characters.
func ParseCertificateRoles(rule string) ([]CertificateRole, error) {
	names, patterns, found := strings.Cut(rule, "=")
	if !found {
		return nil, fmt.Errorf("%q: want ROLE=PATTERN, such as scorer=dns:*.example", rule)
	}
	role, err := ParseRole(names)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", rule, err)
	}
	var list []CertificateRole
	for pattern := range strings.SplitSeq(patterns, ",") {
		name, dns := strings.CutPrefix(pattern, "dns:")
		switch {
		case strings.Count(pattern, "*") > 1:
			return nil, fmt.Errorf("%q: pattern %q has more than one *", rule, pattern)
		case pattern != "*" && (name == "" || !dns && !strings.Contains(pattern, "://")):
			return nil, fmt.Errorf("%q: pattern %q: want dns:NAME, a URI or *", rule, pattern)
		}
		list = append(list, CertificateRole{role, pattern})
	}
	return list, nil
}

// roleOf returns the roles that rules give to a certificate, together.
func roleOf(cert *x509.Certificate, rules []CertificateRole) Role {
	var all Role
	names := namesOf(cert)
	for _, r := range rules {
		if r.pattern == "*" || slices.ContainsFunc(names, func(name string) bool { return fits(name, r.pattern) }) {
			all |= r.role
		}
	}
	return all
}

// namesOf lists the alternative names of a certificate as patterns spell them.
// The common name counts for nothing.
func namesOf(cert *x509.Certificate) []string {
	var names []string
	for _, u := range cert.URIs {
		names = append(names, u.String())
	}
	for _, d := range cert.DNSNames {
		names = append(names, "dns:"+strings.ToLower(d))
	}
	return names
}

func fits(name, pattern string) bool {
	before, after, wild := strings.Cut(pattern, "*")
	if !wild {
		return name == pattern
	}
	return len(name) >= len(before)+len(after) && strings.HasPrefix(name, before) && strings.HasSuffix(name, after)
}
