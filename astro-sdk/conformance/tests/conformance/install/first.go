package main

import (
	"context"
	"fmt"
	"log"

	"astro.dev/sdk"
)

func main() {
	client, err := astro.New()
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	caller, err := client.Access.GetCaller(context.Background(), &astro.GetCallerRequest{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(caller.ApiKey.OrgId)
}
