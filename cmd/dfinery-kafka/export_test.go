package main

// Main is the program's main function with a version, for tests that run their own binary as
// the program.
func Main(v string) {
	version = v
	main()
}
