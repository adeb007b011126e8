package main

import (
	"bufio"
	"os"
)

// One JSON request a line, one answer a line.
func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 64<<20)
	out := bufio.NewWriter(os.Stdout)
	for in.Scan() {
		out.Write(handle(in.Bytes()))
		out.WriteByte('\n')
		out.Flush()
	}
}
