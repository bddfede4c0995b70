// Pack makes of a module what a proxy serves of it: main MODULE_FOLDER LICENSE VERSION PROXY_FOLDER.
package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const module = "astro.dev/sdk"

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: pack MODULE_FOLDER LICENSE VERSION PROXY_FOLDER")
		os.Exit(2)
	}
	if err := pack(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func pack(folder, license, version, proxy string) error {
	mod, err := os.ReadFile(filepath.Join(folder, "go.mod"))
	if err != nil {
		return err
	}
	archive, err := archiveOf(folder, license, module+"@"+version)
	if err != nil {
		return err
	}
	to := filepath.Join(proxy, filepath.FromSlash(module), "@v")
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for name, contents := range map[string][]byte{
		"list":            []byte(version + "\n"),
		version + ".info": []byte(fmt.Sprintf("{\"Version\":%q}\n", version)),
		version + ".mod":  mod,
		version + ".zip":  archive,
	} {
		if err := os.WriteFile(filepath.Join(to, name), contents, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// archiveOf has the files of a module, each below prefix. Folders with a go.mod are modules of their own.
func archiveOf(folder, license, prefix string) ([]byte, error) {
	var packed bytes.Buffer
	archive := zip.NewWriter(&packed)
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			_, err := os.Stat(filepath.Join(path, "go.mod"))
			if path != folder && (err == nil || strings.HasPrefix(entry.Name(), ".")) {
				return filepath.SkipDir
			}
			return nil
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		return add(archive, path, prefix+"/"+filepath.ToSlash(name))
	})
	if err != nil {
		return nil, err
	}
	if err := add(archive, license, prefix+"/LICENSE"); err != nil {
		return nil, err
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

func add(archive *zip.Writer, path, name string) error {
	contents, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	file, err := archive.Create(name)
	if err != nil {
		return err
	}
	_, err = file.Write(contents)
	return err
}
