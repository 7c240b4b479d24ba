// SPDX-License-Identifier: MIT
// A web server and its client: web serve ADDRESS FOLDER, web get URL N (N at once; the first goes to stdout).
package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
)

func get(url string, out chan []byte) {
	answer, err := http.Get(url)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	out <- body
}

func main() {
	if os.Args[1] == "serve" {
		fmt.Fprintln(os.Stderr, http.ListenAndServe(os.Args[2], http.FileServer(http.Dir(os.Args[3]))))
		os.Exit(1)
	}
	n, _ := strconv.Atoi(os.Args[3])
	out := make(chan []byte)
	for i := 0; i < n; i++ {
		go get(os.Args[2], out)
	}
	first := <-out
	for i := 1; i < n; i++ {
		if !bytes.Equal(<-out, first) {
			fmt.Fprintln(os.Stderr, "answers differ")
			os.Exit(1)
		}
	}
	os.Stdout.Write(first)
}
