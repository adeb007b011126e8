package main

import (
	"bufio"
	"fmt"
	"os"
)

var release string

// One JSON request a line, one answer a line.
func main() {
	if len(os.Args) > 1 {
		fmt.Println(release)
		return
	}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 64<<20)
	out := bufio.NewWriter(os.Stdout)
	for in.Scan() {
		out.Write(handle(in.Bytes()))
		out.WriteByte('\n')
		out.Flush()
	}
}
