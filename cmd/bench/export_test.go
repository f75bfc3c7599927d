package main

// Main is the benchmark's main function: the tests run their own binary as the benchmark, so
// that it is not built twice.
func Main() { main() }
