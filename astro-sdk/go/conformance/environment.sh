# Settings of go for prepare.sh and lint.sh: the SDK comes from the proxy in $work, everything else from
# where the machine has it.
GOPROXY="file://$work/proxy,file://$(go env GOMODCACHE)/cache/download,$(go env GOPROXY)"
# A cache of its own, since the same version is packed again and again.
GOMODCACHE="$work/mod"
GONOSUMDB=astro.dev
GOFLAGS="-mod=mod -modcacherw -trimpath -buildvcs=false"
# Go remembers what a version imports by its path, though this one's contents change.
GODEBUG=goindex=0
export GOPROXY GOMODCACHE GONOSUMDB GOFLAGS GODEBUG
