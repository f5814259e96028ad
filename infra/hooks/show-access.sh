#!/bin/sh
# Prints how to reach the deployed FuncStash, and how to read its token and keys; never the secrets themselves.
set -eu
: "${QSTASH_URL:?run it from azd: azd hooks run postdeploy}"
: "${AZURE_KEY_VAULT_NAME:?run it from azd: azd hooks run postdeploy}"

read_secret() { echo "az keyvault secret show --vault-name $AZURE_KEY_VAULT_NAME --name $1 --query value --output tsv"; }

cat <<TEXT

FuncStash is at

  QSTASH_URL=$QSTASH_URL

The token and the signing keys are in Key Vault $AZURE_KEY_VAULT_NAME:

  export QSTASH_TOKEN="\$($(read_secret qstash-token))"
  export QSTASH_CURRENT_SIGNING_KEY="\$($(read_secret qstash-current-signing-key))"
  export QSTASH_NEXT_SIGNING_KEY="\$($(read_secret qstash-next-signing-key))"

A first call:

  curl -H "Authorization: Bearer \$QSTASH_TOKEN" -d hello $QSTASH_URL/v2/publish/https://example.com/
TEXT
