package main

import (
	"fmt"

	"astro.dev/sdk"
)

func steamID(text string) object {
	id, err := astro.ParseSteamID(text)
	if err != nil {
		return failure(err, nil)
	}
	return ok(object{
		"steam_id64":  fmt.Sprint(id.SteamID64()),
		"account_id":  fmt.Sprint(id.AccountID()),
		"steam2":      id.Steam2(),
		"steam3":      id.Steam3(),
		"profile_url": id.ProfileURL(),
	})
}

func tradeURL(text string) object {
	url, err := astro.ParseTradeURL(text)
	if err != nil {
		return failure(err, nil)
	}
	return ok(object{
		"partner": url.Partner().String(),
		"token":   url.Token(),
		"url":     url.URL(),
		"shown":   shown(url) + shown(&url) + fmt.Sprintf("%d %x", url, url),
	})
}
