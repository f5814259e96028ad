metadata description = 'The Functions app on a Flex Consumption plan.'

param name string
param planName string
param location string
param tags object

@description('Instances in three zones.')
param zoneRedundant bool

@description('Resource id of the identity the app runs as, for deployment, storage, telemetry and Key Vault references.')
param identityId string

@description('Blob container of the deployed package.')
param packageContainerUrl string

@description('Memory of an instance, in MiB.')
param instanceMemoryMB int

@description('No more instances than so many in each scale group (HTTP, Durable, each work queue).')
param maximumInstanceCount int

@description('Instances that are always running, by scale group; 0 for a group that may scale to zero.')
param alwaysReady { http: int, durable: int }

@description('Requests an instance takes at once before another one is added. 0: what the platform chooses for the memory size.')
param httpConcurrency int

@description('Subnet the app sends from. Empty: no virtual network.')
param subnetId string

@description('App settings, name to value.')
param settings object

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: {
    reserved: true
    zoneRedundant: zoneRedundant
  }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageContainerUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: { name: 'dotnet-isolated', version: '10.0' }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: map(
          filter(items(alwaysReady), group => group.value > 0),
          group => { name: group.key, instanceCount: group.value }
        )
        triggers: httpConcurrency > 0 ? { http: { perInstanceConcurrency: httpConcurrency } } : null
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      ftpsState: 'Disabled'
      appSettings: map(items(settings), setting => { name: setting.key, value: setting.value })
    }
  }

  // Deployment is by Entra ID too: no user name and password for FTP or the deployment site.
  resource ftp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }

  resource scm 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }
}

output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
