// Package tickets is the ticket office of a ferry.
package tickets

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/google/uuid"
)

//go:embed timetable.txt
var timetable string

// Office sells tickets for one ferry.
type Office struct {
	ferry string
}

// Open opens the office of a ferry; without a name it is Halcyon.
func Open(ferry string) Office {
	if ferry == "" {
		ferry = "Halcyon"
	}
	return Office{ferry}
}

// Greeting tells when the ferry leaves.
func (office Office) Greeting() string {
	return fmt.Sprintf("The %s leaves at %s.", office.ferry, strings.Join(strings.Fields(timetable), ", "))
}

// Sell makes a ticket that nobody has had before.
func (office Office) Sell() string {
	return fmt.Sprintf("%s %s", office.ferry, uuid.New())
}
