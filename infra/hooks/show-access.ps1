# Prints how to reach the deployed FuncStash, and how to read its token and keys; never the secrets themselves.
$ErrorActionPreference = 'Stop'
foreach ($name in 'QSTASH_URL', 'AZURE_KEY_VAULT_NAME') {
  if (-not [Environment]::GetEnvironmentVariable($name)) { throw "$name is not set; run it from azd: azd hooks run postdeploy" }
}

function Read-Secret($name) { "az keyvault secret show --vault-name $env:AZURE_KEY_VAULT_NAME --name $name --query value --output tsv" }

Write-Host @"

FuncStash is at

  QSTASH_URL=$env:QSTASH_URL

The token and the signing keys are in Key Vault $($env:AZURE_KEY_VAULT_NAME):

  `$env:QSTASH_TOKEN = $(Read-Secret qstash-token)
  `$env:QSTASH_CURRENT_SIGNING_KEY = $(Read-Secret qstash-current-signing-key)
  `$env:QSTASH_NEXT_SIGNING_KEY = $(Read-Secret qstash-next-signing-key)

A first call:

  curl.exe -H "Authorization: Bearer `$env:QSTASH_TOKEN" -d hello $env:QSTASH_URL/v2/publish/https://example.com/
"@
