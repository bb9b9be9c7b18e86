// Package packaging is for those who install Meseta: units of systemd with their settings, and a file to
// build a container image from. docs/install.md tells how to use them. There is no code; the test beside it
// holds the files to the commands and settings that exist.
package packaging
