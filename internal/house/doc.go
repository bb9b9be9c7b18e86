// Package house holds the tests that keep the plan of the house true: who may import whom, that cores
// stay pure, that every package says what it is. Each failure says why the rule is there.
package house
