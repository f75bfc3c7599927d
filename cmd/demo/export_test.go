package main

// Parts of the demo's second process that the tests use.
const SecondProcess = secondProcess

var RunSecond = runSecond
