package main

// What the tests need of the demo's second process.
const SecondProcess = secondProcess

var RunSecond = runSecond
