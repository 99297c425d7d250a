package marks

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func TestMarksOfWhatIsGoneAreForgotten(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	dead := New(folder, "127.0.0.1:1")
	dead.Set("a/b")
	dead.Set("c")
	dead.Close()
	live := New(folder, "localhost:1")
	live.Set("d")
	if live.Of("a/b") != Abandoned || live.Of("d") != Held || live.Of("e") != None || New(folder, "10.0.0.1:1").Of("c") != None {
		t.Error("a mark says what is not so")
	}
	live.Prune([]string{"a/b"})
	if live.Of("a/b") != Abandoned || live.Of("c") != None || live.Of("d") != Held {
		t.Error("a mark was forgotten, or was not")
	}
	if said := live.Notices(); len(said) != 0 {
		t.Errorf("marks that were written give rise to %q", said)
	}
}

func TestAMarkIsHeldByOneRun(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	first, second := New(folder, "127.0.0.1:1"), New(folder, "127.0.0.1:1")
	if !first.Set("m") || !first.Set("m") || second.Set("m") || second.Of("m") != Held {
		t.Error("two runs hold one mark, or none does")
	}
	first.Close()
	if !second.Set("m") || first.Of("m") != Held {
		t.Error("what a run has left could not be taken over")
	}
	second.Clear("m")
	if first.Of("m") != None || len(URLs(folder)) != 0 {
		t.Error("a mark that was taken off is still there")
	}
}

// Two runs that make and take away the same never both hold it, whatever files
// and folders the other removes meanwhile.
func TestAMarkThatIsTakenAwayMeanwhileIsMadeAnew(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	var holders atomic.Int32
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			m := New(folder, "127.0.0.1:1")
			for range 300 {
				if !m.Set("m") {
					continue
				}
				if holders.Add(1) > 1 {
					t.Error("two hold it")
				}
				if m.Of("m") != Held {
					t.Error("it is held by nobody")
				}
				holders.Add(-1)
				m.Clear("m")
			}
		})
	}
	all.Wait()
}

func TestMarksThatCannotBeWrittenAreSaid(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for folder, why := range map[string]string{"": "HOME", filepath.Join(file, "kind"): "not a directory"} {
		m := New(folder, "localhost:1")
		if !m.Set("a") || m.Of("a") != None {
			t.Errorf("%q: a mark where there are none", folder)
		}
		if said := m.Notices(); len(said) != 1 || !strings.Contains(said[0], why) {
			t.Errorf("%q: said %q", folder, said)
		}
	}
}

func TestMarksAreForgottenInAFolderOfAnyName(t *testing.T) {
	t.Parallel()
	m := New(filepath.Join(t.TempDir(), "a[b*"), "localhost:1")
	m.Set("a")
	m.Close()
	if m.Prune(nil); m.Of("a") != None {
		t.Error("the mark of what is gone is kept")
	}
}
