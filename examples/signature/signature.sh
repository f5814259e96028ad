#!/usr/bin/env bash
# Is it a delivery that the service signed? Usage: signature/signature.sh UPSTASH_SIGNATURE URL < BODY
# Exits with 0 when the header Upstash-Signature was made with one of our keys, for this body and this URL, and has not expired.
set -euo pipefail
url64() { basenc --base64url --wrap=0 | tr -d =; }

IFS=. read -r header claims mac <<< "$1"
body=$(openssl dgst -sha256 -binary | url64) # of standard input
told() { # NAME, of the claims
  basenc --base64url --decode <<< "$claims$(printf '%*s' $(((4 - ${#claims} % 4) % 4)) '' | tr ' ' =)" |
    sed -nE "s/.*\"$1\": ?\"?([^\",}]*)\"?.*/\1/p"
}

for key in "$QSTASH_CURRENT_SIGNING_KEY" "$QSTASH_NEXT_SIGNING_KEY"; do
  expected=$(printf %s "$header.$claims" | openssl dgst -sha256 -hmac "$key" -binary | url64)
  [[ $mac == "$expected" ]] || continue
  hash=$(told body)
  [[ ${hash%%=*} == "$body" ]] || { echo "refused: made for another body" >&2; exit 1; }
  [[ $(told sub) == "$2" ]] || { echo "refused: made for another URL" >&2; exit 1; }
  (($(told exp) > $(date +%s))) || { echo "refused: expired" >&2; exit 1; }
  echo "signed by the service"
  exit 0
done
echo "refused: made with another key" >&2
exit 1
