metadata description = 'The storage account: messages, queues, the Durable task hub and the deployed package. Entra ID only, no keys.'

@minLength(3)
@maxLength(24)
param name string
param location string
param tags object

@description('In how many zones and regions the data are kept: Standard_LRS, Standard_ZRS, ...')
param sku string

@description('Reachable only through private endpoints.')
param private bool

@description('Blob container the app\'s package is deployed to.')
param packageContainerName string

@description('Name of the identity the app runs as. Role assignments are named after it: its object id is not known in a preview.')
param appIdentityName string

@description('Object id of that identity.')
param appPrincipalId string

var roles = loadJsonContent('roles.json')

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: sku }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: private ? 'None' : 'AzureServices'
      defaultAction: private ? 'Deny' : 'Allow'
    }
  }

  resource blobs 'blobServices' = {
    name: 'default'

    resource packages 'containers' = {
      name: packageContainerName
      properties: { publicAccess: 'None' }
    }
  }
}

// The least the app, the Functions host and Durable Functions need. Blob Data Owner, not Contributor, because the host
// takes leases and sets access on its own containers.
var appRoles = [
  roles.storageBlobDataOwner
  roles.storageQueueDataContributor
  roles.storageTableDataContributor
]

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in appRoles: {
    name: guid(account.id, appIdentityName, role)
    scope: account
    properties: {
      principalId: appPrincipalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    }
  }
]

output id string = account.id
output name string = account.name
output packageContainerUrl string = '${account.properties.primaryEndpoints.blob}${packageContainerName}'
