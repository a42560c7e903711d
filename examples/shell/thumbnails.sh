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

for file in "$@"; do # submit all: the workers share them
  key=$(sha256sum <"$file" | cut -d' ' -f1)
  job=$(call -H "Idempotency-Key: thumbnail-$key" -F "image=@$file" \
    "$url/v1/crops?aspect=1:1&size=200x200&format=webp")
  printf '%s\t%s\n' "$(printf '%s' "$job" | jq -r .id)" "$file"
done >"$out/jobs.tsv"

failed=0
tab=$(printf '\t')
while IFS=$tab read -r id file; do
  until job=$(call "$url/v1/crops/$id?wait=20") &&
    printf '%s' "$job" | jq -e '.state != "queued" and .state != "running"' >/dev/null; do :; done
  if [ "$(printf '%s' "$job" | jq -r .state)" = done ]; then
    call "$url/v1/crops/$id/image" -o "$out/$(basename "${file%.*}").webp"
  else
    printf '%s: %s\n' "$file" "$(printf '%s' "$job" | jq -r '.error.detail // .state')" >&2
    failed=1
  fi
done <"$out/jobs.tsv"
exit $failed
