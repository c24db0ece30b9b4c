package reload

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// KeyPair holds a certificate with its chain and its private key, from PEM
// files.
func KeyPair(certFile, keyFile string) (*Value[tls.Certificate], error) {
	parse := func(contents [][]byte) (tls.Certificate, error) {
		pair, err := tls.X509KeyPair(contents[0], contents[1])
		if err != nil {
			return tls.Certificate{}, fmt.Errorf("%s and %s: %w", certFile, keyFile, err)
		}
		if end := pair.Leaf.NotAfter; time.Now().After(end) {
			return tls.Certificate{}, fmt.Errorf("%s: the certificate expired at %s", certFile, end.Format(time.RFC3339))
		}
		return pair, nil
	}
	return New(parse, certFile, keyFile)
}

// Pool holds the certificate authorities of a PEM file.
func Pool(caFile string) (*Value[*x509.CertPool], error) {
	parse := func(contents [][]byte) (*x509.CertPool, error) {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(contents[0]) {
			return nil, fmt.Errorf("%s: %w", caFile, errNoCertificate)
		}
		return pool, nil
	}
	return New(parse, caFile)
}

var errNoCertificate = errors.New("the file has no certificate in PEM form")
