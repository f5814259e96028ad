metadata description = 'The Key Vault of the tokens and signing keys. The app and the person who deploys may read secrets; nobody else may.'

@minLength(3)
@maxLength(24)
param name string
param location string
param tags object

@description('Keeps a deleted vault for its 90 days whatever happens. It can never be switched off again.')
param purgeProtection bool

@description('Name of the identity the app runs as. Role assignments are named after it: its object id is not known in a preview.')
param appIdentityName string

@description('Object id of that identity.')
param appPrincipalId string

@description('Object id of who deploys. Empty: nobody but the app may read the secrets.')
param deployerPrincipalId string

@allowed(['User', 'ServicePrincipal'])
param deployerPrincipalType string

var roles = loadJsonContent('roles.json')
var secretsUser = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser)

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    // Key Vault refuses `false`: not asked for means not stated.
    enablePurgeProtection: purgeProtection ? true : null
  }
}

resource appReads 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, appIdentityName, roles.keyVaultSecretsUser)
  scope: vault
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: secretsUser
  }
}

resource deployerReads 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(deployerPrincipalId)) {
  name: guid(vault.id, deployerPrincipalId, roles.keyVaultSecretsUser)
  scope: vault
  properties: {
    principalId: deployerPrincipalId
    principalType: deployerPrincipalType
    roleDefinitionId: secretsUser
  }
}

output name string = vault.name
