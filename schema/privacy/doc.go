// Package privacy keeps cells out of everything that leaves the process: columns are dropped,
// hashed under a key, or masked before a row is keyed, fingerprinted and encoded. It does no
// I/O but for reading the key's file.
package privacy
