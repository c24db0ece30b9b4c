//go:build !gcs

package store

// withGCS is false: Google's libraries would add half again to the program.
const withGCS = false
