// Package docs is the documents for users and newcomers; README.md at the top of the repository is the
// first of them. It has no code of its own. What the documents say of the code is held to the code by the
// tests of this package, as far as a test can tell: snippets are quotations from code that is tested,
// commands and flags exist, links lead somewhere.
package docs
