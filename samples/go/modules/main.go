// Command ferry sells tickets over HTTP; each has a number that nobody can guess.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"samples/ferry/internal/tickets"
)

func main() {
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	office := tickets.Open(os.Getenv("FERRY"))
	http.HandleFunc("GET /{$}", func(answer http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(answer, office.Greeting())
	})
	http.HandleFunc("POST /tickets", func(answer http.ResponseWriter, _ *http.Request) {
		answer.WriteHeader(http.StatusCreated)
		fmt.Fprintln(answer, office.Sell())
	})
	server := &http.Server{Addr: ":" + port, ReadHeaderTimeout: 10 * time.Second}

	stopping, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		<-stopping.Done()
		_ = server.Shutdown(context.Background())
	}()
	log.Printf("Selling tickets on port %s", port)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
}
