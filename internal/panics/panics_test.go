package panics

import (
	"errors"
	"strings"
	"sync"
	"testing"
)

func fail() { panic("index out of\nrange") }

func TestPanicsOfGoroutinesGoToTheHandler(t *testing.T) {
	var got []*Error
	var mu sync.Mutex
	Handle(func(e *Error) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, e)
	})
	defer Handle(nil)
	var under sync.WaitGroup
	for range 3 {
		under.Go(Caught(fail))
	}
	under.Wait() // which would not return, were one not caught
	if len(got) != 3 {
		t.Fatalf("%d panics", len(got))
	}
	if text := got[0].Error(); text != "a mistake in exobench itself: index out of range" {
		t.Errorf("it says %q", text)
	}
	if stack := string(got[0].Stack); !strings.Contains(stack, "panics.fail") {
		t.Errorf("its stack is %s", stack)
	}
}

func TestAPanicOfACallOfOthersIsItsErrorToo(t *testing.T) {
	told := 0
	Handle(func(*Error) { told++ })
	defer Handle(nil)
	read := func() (n int, err error) {
		defer Catch(&err)
		fail()
		return 1, nil
	}
	if n, err := read(); told != 1 || n != 0 || err == nil || !strings.Contains(err.Error(), "out of range") {
		t.Errorf("%d, %v, told %d times", n, err, told)
	}
}

func TestAPanicGoesIntoTheErrorOfWhoWaits(t *testing.T) {
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		Into(&err, fail)()
	}()
	<-done
	if _, is := errors.AsType[*Error](err); !is {
		t.Errorf("got %v", err)
	}
	Into(&err, func() { err = nil })()
	if err != nil {
		t.Errorf("without a panic: %v", err)
	}
}

func TestWithoutAHandlerAPanicIsAPanic(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("it was caught")
		}
	}()
	Caught(fail)()
}

func BenchmarkCatch(b *testing.B) {
	Handle(func(*Error) {})
	defer Handle(nil)
	for b.Loop() {
		func() (err error) { defer Catch(&err); return nil }()
	}
}
