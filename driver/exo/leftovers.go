package exo

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"exobench"
	"exobench/driver"
	"exobench/driver/marks"
)

// marksKind is what the marks are of.
const marksKind = "exo-instances"

// Leftovers returns what is marked of the exo at url, or of every exo that has
// marks.
func (d Driver) Leftovers(ctx context.Context, url string, env driver.Env) ([]driver.Leftover, error) {
	urls := []string{url}
	if url == "" {
		urls = marks.URLs(marks.Folder(env.Getenv, marksKind))
	}
	var all []driver.Leftover
	var problems []error
	for _, url := range urls {
		found, err := d.leftoversAt(ctx, url, env)
		all = append(all, found...)
		problems = append(problems, err)
	}
	return all, errors.Join(problems...)
}

// leftoversAt returns what is marked of one exo. It is not asked where nothing is.
func (d Driver) leftoversAt(ctx context.Context, url string, env driver.Env) ([]driver.Leftover, error) {
	config, err := configOf(exobench.EngineSpec{Name: d.Name(), URL: url}, env)
	if err != nil {
		return nil, err
	}
	return leftovers(ctx, config)
}

func leftovers(ctx context.Context, config config) ([]driver.Leftover, error) {
	client, err := config.client()
	if err != nil {
		return nil, err
	}
	e := &Engine{config: config, api: client, marks: marks.New(config.marks, client.Address())}
	defer e.Close()
	marked := e.marks.Names()
	if len(marked) == 0 {
		return nil, nil
	}
	models := map[string]string{}
	err = e.identify(ctx)
	if err == nil {
		var there []instance
		there, err = e.allInstances(ctx)
		for _, one := range there {
			models[one.id] = one.model
		}
	}
	if err != nil {
		return nil, fmt.Errorf("whether what runs made is still there is unknown (marked: %s): %w", strings.Join(marked, ", "), err)
	}
	var all []driver.Leftover
	for _, id := range marked {
		model, there := models[id]
		l := driver.Leftover{Engine: Driver{}.Name(), URL: config.url, ID: id, Model: model}
		switch state := e.marks.Of(id); {
		case state == marks.Held:
			l.State = driver.InUse
		case state == marks.None:
			continue // its run has just taken it away
		case !there:
			l.State = driver.Gone
		}
		all = append(all, l)
	}
	return all, nil
}

// Clean deletes a leftover instance and waits until it is gone, and takes its mark
// away.
func (d Driver) Clean(ctx context.Context, l driver.Leftover, env driver.Env) error {
	config, err := configOf(exobench.EngineSpec{Name: d.Name(), URL: l.URL}, env)
	if err != nil {
		return err
	}
	return clean(ctx, config, l.ID)
}

func clean(ctx context.Context, config config, id string) error {
	client, err := config.client()
	if err != nil {
		return err
	}
	e := &Engine{config: config, api: client, marks: marks.New(config.marks, client.Address())}
	defer e.Close()
	if e.marks.Of(id) != marks.Abandoned {
		return fmt.Errorf("instance %s is not one that a run has left", id)
	}
	if err := e.identify(ctx); err != nil {
		return err
	}
	_ = e.awaitNodes(ctx) // where it does not tell, runners are awaited by its state
	e.findProcess(ctx)
	_, err = e.remove(ctx, id, removal{foreign: true})
	return err
}
