module github.com/parley-nlp/parley/tools/protodeps

go 1.26.0

require (
	github.com/bufbuild/protovalidate v1.2.2 // indirect
	github.com/grpc-ecosystem/grpc-gateway v1.16.0 // indirect
)
