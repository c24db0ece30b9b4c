// Package promcheck has the tests of deploy/prometheus and deploy/grafana, with
// Prometheus's own parser and engine and Grafana's own types. It is a module by
// itself, so that the service never sees their dependencies:
//
//	cd tools/promcheck && go test ./...
package promcheck
