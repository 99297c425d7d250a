package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"exobench/child"
	"exobench/internal/faults"
)

// asServer makes the test binary serve [faults.Model] well, so many seconds after it
// is asked, on connections that it keeps, until its input ends or it is interrupted.
const asServer = "EXOBENCH_TEST_AS_SERVER"

func serveSlowly() {
	seconds, err := strconv.Atoi(os.Getenv(asServer))
	if err != nil {
		panic(err)
	}
	server, err := faults.Start(func(int) *faults.Row { time.Sleep(time.Duration(seconds) * time.Second); return nil })
	if err != nil {
		panic(err)
	}
	fmt.Println(child.ReadyPrefix + server.URL())
	select {}
}
