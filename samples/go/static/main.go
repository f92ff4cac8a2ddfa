// Command lighthouse answers HTTP requests with its light, from an image that holds nothing but itself and certificates.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"os/user"
	"syscall"
	"time"
)

func main() {
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	http.HandleFunc("/", func(answer http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(answer, "Light seen at %s, kept by %s\n", clock(os.Getenv("TZ")), keeper())
	})
	server := &http.Server{Addr: ":" + port, ReadHeaderTimeout: 10 * time.Second}

	stopping, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		<-stopping.Done()
		_ = server.Shutdown(context.Background())
	}()
	log.Printf("Lighthouse on port %s", port)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
}

// clock is the time in a zone of the image's time zone database.
func clock(zone string) string {
	place, err := time.LoadLocation(zone)
	if err != nil {
		return err.Error()
	}
	return time.Now().In(place).Format("15:04 MST")
}

// keeper is the name of the account that the image gives to the program.
func keeper() string {
	account, err := user.Current()
	if err != nil {
		return err.Error()
	}
	return account.Username
}
