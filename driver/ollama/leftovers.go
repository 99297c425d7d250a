package ollama

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"exobench"
	"exobench/driver"
	"exobench/driver/marks"
)

// marksKind is what the marks are of. The name of one is the model's: Ollama has
// no other for what it has in memory.
const marksKind = "ollama-models"

// Leftovers returns the models that are marked as loaded by runs on the Ollama at
// url, or on every one that has marks.
func (d Driver) Leftovers(ctx context.Context, url string, env driver.Env) ([]driver.Leftover, error) {
	urls := []string{url}
	if url == "" {
		urls = marks.URLs(marks.Folder(env.Getenv, marksKind))
	}
	var all []driver.Leftover
	var problems []error
	for _, url := range urls {
		found, err := leftovers(ctx, url, env)
		all = append(all, found...)
		problems = append(problems, err)
	}
	return all, errors.Join(problems...)
}

// leftovers returns what is marked of one Ollama. It is not asked where nothing
// is.
func leftovers(ctx context.Context, url string, env driver.Env) ([]driver.Leftover, error) {
	client, err := newClient(url, env)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	marked := marks.New(marks.Folder(env.Getenv, marksKind), client.Address())
	names := marked.Names()
	if len(names) == 0 {
		return nil, nil
	}
	there, err := (&engine{client: client}).loaded(ctx)
	if err != nil {
		return nil, fmt.Errorf("whether what runs loaded is still there is unknown (marked: %s): %w", strings.Join(names, ", "), err)
	}
	var all []driver.Leftover
	for _, name := range names {
		l := driver.Leftover{Engine: Driver{}.Name(), URL: url, Model: name}
		found, _ := find(there, name)
		switch state := marked.Of(name); {
		case state == marks.Held:
			l.State = driver.InUse
		case state == marks.None:
			continue // its run has just taken it away
		case found == nil:
			l.State = driver.Gone
		}
		all = append(all, l)
	}
	return all, nil
}

// Clean unloads a model that a run has left, waits until it is gone, and takes its
// mark away.
func (Driver) Clean(ctx context.Context, l driver.Leftover, env driver.Env) error {
	e, err := dial(ctx, exobench.EngineSpec{Name: l.Engine, URL: l.URL}, env)
	if err != nil {
		return err
	}
	defer e.Close()
	if e.marks.Of(l.Model) != marks.Abandoned || !e.marks.Set(l.Model) {
		return fmt.Errorf("%s is not a model that a run has left", l.Model)
	}
	found, err := e.inMemory(ctx, l.Model)
	if err == nil && found != nil {
		err = e.unload(ctx, l.Model)
	}
	if err != nil {
		return err
	}
	e.marks.Clear(l.Model)
	return nil
}
