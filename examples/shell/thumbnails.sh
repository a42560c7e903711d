#!/bin/sh
# Make a thumbnail of each file: submit all, wait for each, download.
# Usage: CROPSVC_URL=http://localhost:5000 ./thumbnails.sh OUT_DIR FILE...
set -eu
url=${CROPSVC_URL:-http://localhost:5000}
out=$1
shift
mkdir -p "$out"

call() {
  curl --fail-with-body --silent --show-error --retry 5 \
    ${CROPSVC_KEY:+-H "Authorization: Bearer $CROPSVC_KEY"} "$@"
}

say() { # FILE JSON: what is wrong with it, in the service's words
  printf '%s: %s\n' "$1" "$(printf '%s' "$2" | jq -r '.detail // .error.detail // .state')" >&2
  failed=1
}

failed=0
for file in "$@"; do # submit all: the workers share them
  key=$(sha256sum <"$file" | cut -d' ' -f1)
  if job=$(call -H "Idempotency-Key: thumbnail-$key" -F "image=@$file" \
    "$url/v1/crops?aspect=1:1&size=200x200&format=webp"); then
    printf '%s\t%s\n' "$(printf '%s' "$job" | jq -r .id)" "$file" >&3
  else
    say "$file" "$job"
  fi
done 3>"$out/jobs.tsv"

tab=$(printf '\t')
while IFS=$tab read -r id file; do
  state=queued
  while [ "$state" = queued ] || [ "$state" = running ]; do
    job=$(call "$url/v1/crops/$id?wait=20") || break
    state=$(printf '%s' "$job" | jq -r .state)
  done
  if [ "$state" = done ]; then
    call "$url/v1/crops/$id/image" -o "$out/$(basename "${file%.*}").webp"
  else
    say "$file" "$job"
  fi
done <"$out/jobs.tsv"
exit $failed
