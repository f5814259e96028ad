metadata description = '''
The API token and the signing keys. Each is random, made by the first deployment and left alone by later ones: Azure
Resource Manager skips a secret that exists (onlyIfNotExists), so the new random parameters of a later deployment reach
nothing. The values are in the vault only: not in the azd environment, the deployment's history, or an output.
'''

import { alphanumeric28 } from 'random.bicep'

param vaultName string

@description('UserID in the token. Not a secret: it is in webhook URLs that the Workflow SDK makes.')
param userId string

@description('Also makes a token that may only read.')
param readOnlyToken bool

@description('Also keeps the key given as llmApiKey.')
param llmKeyGiven bool

@description('Key of the provider that legacy `api/llm` messages go to. Unlike the others it is written at every deployment.')
@secure()
param llmApiKey string

@secure()
param tokenSeed1 string = newGuid()
@secure()
param tokenSeed2 string = newGuid()
@secure()
param readOnlySeed1 string = newGuid()
@secure()
param readOnlySeed2 string = newGuid()
@secure()
param currentKeySeed1 string = newGuid()
@secure()
param currentKeySeed2 string = newGuid()
@secure()
param nextKeySeed1 string = newGuid()
@secure()
param nextKeySeed2 string = newGuid()

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: vaultName
}

@onlyIfNotExists()
resource token 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault
  name: 'qstash-token'
  properties: {
    contentType: 'QSTASH_TOKEN'
    value: base64('{"UserID":"${userId}","Password":"${alphanumeric28(tokenSeed1, tokenSeed2)}"}')
  }
}

@onlyIfNotExists()
resource readOnly 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = if (readOnlyToken) {
  parent: vault
  name: 'qstash-readonly-token'
  properties: {
    contentType: 'QSTASH_READONLY_TOKEN'
    value: base64('{"UserID":"${userId}","Password":"${alphanumeric28(readOnlySeed1, readOnlySeed2)}"}')
  }
}

@onlyIfNotExists()
resource currentKey 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault
  name: 'qstash-current-signing-key'
  properties: {
    contentType: 'QSTASH_CURRENT_SIGNING_KEY'
    value: 'sig_${alphanumeric28(currentKeySeed1, currentKeySeed2)}'
  }
}

@onlyIfNotExists()
resource nextKey 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault
  name: 'qstash-next-signing-key'
  properties: {
    contentType: 'QSTASH_NEXT_SIGNING_KEY'
    value: 'sig_${alphanumeric28(nextKeySeed1, nextKeySeed2)}'
  }
}

resource llmKey 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = if (llmKeyGiven) {
  parent: vault
  name: 'funcstash-llm-api-key'
  properties: {
    contentType: 'FUNCSTASH_LLM_API_KEY'
    value: llmApiKey
  }
}

@description('App settings that refer to the secrets. Without a version: a new one is picked up by a restart, or within a day.')
output settings object = union(
  {
    QSTASH_TOKEN: '@Microsoft.KeyVault(VaultName=${vaultName};SecretName=${token.name})'
    QSTASH_CURRENT_SIGNING_KEY: '@Microsoft.KeyVault(VaultName=${vaultName};SecretName=${currentKey.name})'
    QSTASH_NEXT_SIGNING_KEY: '@Microsoft.KeyVault(VaultName=${vaultName};SecretName=${nextKey.name})'
  },
  readOnlyToken
    ? { QSTASH_READONLY_TOKEN: '@Microsoft.KeyVault(VaultName=${vaultName};SecretName=qstash-readonly-token)' }
    : {},
  llmKeyGiven
    ? { FUNCSTASH_LLM_API_KEY: '@Microsoft.KeyVault(VaultName=${vaultName};SecretName=funcstash-llm-api-key)' }
    : {}
)
