module astro.dev/sdk/conformance

go 1.22.0

require astro.dev/sdk v0.1.0
