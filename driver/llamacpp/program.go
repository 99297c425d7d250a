package llamacpp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"
)

// BinVariable is the environment variable that names the folder of llama.cpp's
// programs.
const BinVariable = "EXOBENCH_LLAMA_BIN"

// findProgram returns the absolute path of the llama-server to start: the one
// given, or the one in the folder that BinVariable names, or in PATH.
func findProgram(given string) (string, error) {
	if given != "" {
		path, err := exec.LookPath(given)
		if err != nil {
			return "", fmt.Errorf("%s is no program that can be run: %w", given, errors.Unwrap(err))
		}
		return filepath.Abs(path)
	}
	const name = "llama-server"
	if folder := os.Getenv(BinVariable); folder != "" {
		if path, err := exec.LookPath(filepath.Join(folder, name)); err == nil {
			return filepath.Abs(path)
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("there is no %s in PATH or in the folder that %s names: install llama.cpp, or say where it is", name, BinVariable)
	}
	return filepath.Abs(path)
}

// checkModel looks whether the file can be read and begins as GGUF files do.
func checkModel(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no file %s", path)
	}
	if err != nil {
		return fmt.Errorf("the model cannot be read: %w", err)
	}
	defer f.Close()
	magic := make([]byte, 4)
	if _, err := io.ReadFull(f, magic); err != nil || string(magic) != "GGUF" {
		return fmt.Errorf("%s is not a GGUF file, the only kind that llama-server reads", path)
	}
	return nil
}

const versionTime = 20 * time.Second

// programVersion runs the program for its version: the header of a run is
// written before the server runs, and a program that does not even do this is
// told of early. A version in words that are not known is "".
func programVersion(ctx context.Context, program string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, versionTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "--version")
	cmd.WaitDelay = time.Second
	said, err := cmd.CombinedOutput()
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return "", fmt.Errorf("%s does not run (%w): %s", program, err, reason(string(said)))
	}
	return buildName(string(said)), nil
}

// versionForms are what llama-server --version says, newer and older:
// "version: 0.7.0 (build 11669, commit Debian)", "version: 4589 (eb7cf15a)".
var versionForms = []*regexp.Regexp{
	regexp.MustCompile(`\(build (\d+), commit (\w+)\)`),
	regexp.MustCompile(`version: (\d+) \((\w+)\)`),
}

// buildName names a version as the running server does: "b11669-Debian".
func buildName(text string) string {
	for _, form := range versionForms {
		if m := form.FindStringSubmatch(text); m != nil {
			return "b" + m[1] + "-" + m[2]
		}
	}
	return ""
}
