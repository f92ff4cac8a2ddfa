// Reads a tar and prints its entries as JSON, or writes the tar of entries given as JSON: `main read`, `main write pax|gnu|ustar`.
package main

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"
)

type entry struct {
	Name, Type, Link, Body      string
	Mode, UID, GID, Mtime, Size int64
	Major, Minor                int64
	Digest                      string
}

var types = map[string]byte{
	"file": tar.TypeReg, "directory": tar.TypeDir, "symlink": tar.TypeSymlink, "link": tar.TypeLink,
	"fifo": tar.TypeFifo, "character": tar.TypeChar, "block": tar.TypeBlock,
}
var formats = map[string]tar.Format{"pax": tar.FormatPAX, "gnu": tar.FormatGNU, "ustar": tar.FormatUSTAR}

func main() {
	var err error
	if os.Args[1] == "read" {
		err = read()
	} else {
		err = write(formats[os.Args[2]])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func read() error {
	entries := []entry{}
	reader := tar.NewReader(os.Stdin)
	for {
		header, err := reader.Next()
		if err == io.EOF {
			return json.NewEncoder(os.Stdout).Encode(entries)
		}
		if err != nil {
			return err
		}
		kind := string(header.Typeflag)
		for name, flag := range types {
			if flag == header.Typeflag {
				kind = name
			}
		}
		hash := sha256.New()
		if _, err := io.Copy(hash, reader); err != nil {
			return err
		}
		entries = append(entries, entry{
			Name: hex.EncodeToString([]byte(header.Name)), Type: kind, Link: hex.EncodeToString([]byte(header.Linkname)),
			Mode: header.Mode, UID: int64(header.Uid), GID: int64(header.Gid), Mtime: header.ModTime.Unix(), Size: header.Size,
			Major: header.Devmajor, Minor: header.Devminor, Digest: hex.EncodeToString(hash.Sum(nil)),
		})
	}
}

func write(format tar.Format) error {
	var entries []entry
	if err := json.NewDecoder(os.Stdin).Decode(&entries); err != nil {
		return err
	}
	writer := tar.NewWriter(os.Stdout)
	for _, each := range entries {
		name, _ := hex.DecodeString(each.Name)
		link, _ := hex.DecodeString(each.Link)
		body, _ := hex.DecodeString(each.Body)
		header := &tar.Header{
			Format: format, Name: string(name), Typeflag: types[each.Type], Linkname: string(link), Mode: each.Mode,
			Uid: int(each.UID), Gid: int(each.GID), ModTime: time.Unix(each.Mtime, 0), Size: int64(len(body)),
			Devmajor: each.Major, Devminor: each.Minor,
		}
		if err := writer.WriteHeader(header); err != nil {
			return err
		}
		if _, err := writer.Write(body); err != nil {
			return err
		}
	}
	return writer.Close()
}
