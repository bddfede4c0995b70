module astro.dev/sdk/conformance

go 1.24.0

require astro.dev/sdk v0.1.0
