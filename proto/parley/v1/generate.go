// Package parleyv1 is Parley's wire contract: the messages, clients and server
// interfaces generated from the .proto files beside it.
package parleyv1

//go:generate ../../../tools/generate.sh
