/**
 * Java SDK for Astro.
 *
 * <p>{@link dev.astro.sdk.Client} connects to a server; its services are generated from the contract, its
 * messages are in {@code dev.astro.v1}. {@link dev.astro.sdk.AstroException} is what a failed call throws,
 * {@link dev.astro.sdk.SteamId} and {@link dev.astro.sdk.TradeUrl} parse what people type.
 */
package dev.astro.sdk;
