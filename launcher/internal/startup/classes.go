package startup

import (
	"archive/zip"
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"slipway/launcher/internal/failure"
)

const (
	// loaded is the share of all classes that a program loads, as experience has it.
	loaded = 0.35
	// largestNested is how large a compressed archive inside an archive may be to be looked into.
	largestNested = 256 << 20
)

// loadedClasses is how many classes the app will load, as far as can be told from what there is.
func (s *Start) loadedClasses() (int, error) {
	if s.value("BPL_JVM_LOADED_CLASS_COUNT", "") != "" {
		return s.number("BPL_JVM_LOADED_CLASS_COUNT", 0, 0, 100_000_000)
	}
	fix := "set BPL_JVM_LOADED_CLASS_COUNT to the number of classes that the app loads, 20000 for instance"
	if s.value("BPI_JVM_CLASS_COUNT", "") == "" || s.value("BPI_APPLICATION_PATH", "") == "" {
		why := "BPI_JVM_CLASS_COUNT and BPI_APPLICATION_PATH, which the buildpack of the JVM sets, are not both there"
		return 0, failure.New(failure.Generic, "cannot tell how many classes will be loaded", why, fix)
	}
	total, err := s.number("BPI_JVM_CLASS_COUNT", 0, 0, 100_000_000)
	if err != nil {
		return 0, err
	}
	places := []string{s.value("BPI_APPLICATION_PATH", "")}
	for _, option := range s.options() {
		if agent, found := strings.CutPrefix(option, "-javaagent:"); found {
			path, _, _ := strings.Cut(agent, "=")
			places = append(places, path)
		}
	}
	for _, place := range places {
		count, err := countClasses(place)
		if err != nil {
			s.say("WARNING: could not count all classes, so that the metaspace may be too small: %s", err)
		}
		total += count
	}
	factor, more, err := s.adjustment()
	return int(float64(total+more) * factor * loaded), err
}

// adjustment reads BPL_JVM_CLASS_ADJUSTMENT: so many classes more, or so many per cent of all.
func (s *Start) adjustment() (factor float64, more int, err error) {
	text := s.value("BPL_JVM_CLASS_ADJUSTMENT", "100%")
	share, relative := strings.CutSuffix(text, "%")
	number, failed := strconv.Atoi(share)
	if failed != nil || relative && number < 0 {
		return 1, 0, failure.New(failure.Generic, "cannot read a setting", "BPL_JVM_CLASS_ADJUSTMENT is "+strconv.Quote(text),
			"set BPL_JVM_CLASS_ADJUSTMENT to a number of classes, or to a percentage such as 120%")
	}
	if relative {
		return float64(number) / 100, 0, nil
	}
	return 1, number, nil
}

// countClasses counts the classes below a directory, in the archives there, and in the archives in those. What cannot be
// read does not count, and the first reason for that is returned beside the count.
func countClasses(root string) (count int, problem error) {
	failed := func(err error) {
		if problem == nil {
			problem = err
		}
	}
	filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			failed(err)
		case isClass(path):
			count++
		case isArchive(path) && entry.Type().IsRegular():
			found, err := countArchive(path)
			if err != nil {
				failed(err)
			}
			count += found
		}
		return nil
	})
	return count, problem
}

func isClass(name string) bool {
	switch filepath.Ext(name) {
	case ".class", ".classdata", ".clj", ".groovy", ".kts":
		return true
	}
	return false
}

func isArchive(name string) bool {
	return strings.HasSuffix(name, ".jar") || strings.HasSuffix(name, ".war")
}

func countArchive(path string) (int, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	return countEntries(file, info.Size(), true), nil
}

// countEntries counts in an archive. Some files are only called archives; there are no classes in those.
func countEntries(content io.ReaderAt, size int64, nested bool) int {
	archive, err := zip.NewReader(content, size)
	if err != nil {
		return 0
	}
	count := 0
	for _, entry := range archive.File {
		if isClass(entry.Name) {
			count++
		} else if nested && isArchive(entry.Name) {
			count += countNested(content, entry)
		}
	}
	return count
}

// countNested counts in an archive inside an archive. Spring Boot stores those as they are, so that nothing but their
// directory has to be read.
func countNested(outer io.ReaderAt, entry *zip.File) int {
	if start, err := entry.DataOffset(); err == nil && entry.Method == zip.Store {
		size := int64(entry.UncompressedSize64)
		return countEntries(io.NewSectionReader(outer, start, size), size, false)
	}
	stream, err := entry.Open()
	if err != nil {
		return 0
	}
	defer stream.Close()
	content, err := io.ReadAll(io.LimitReader(stream, largestNested+1))
	if err != nil || len(content) > largestNested {
		return 0
	}
	return countEntries(bytes.NewReader(content), int64(len(content)), false)
}
