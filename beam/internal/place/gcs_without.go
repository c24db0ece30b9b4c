//go:build !gcs

package place

// withGCS is false, as for stores of models.
const withGCS = false
