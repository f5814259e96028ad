targetScope = 'subscription'

metadata name = 'FuncStash'
metadata description = 'FuncStash on Azure Functions (Flex Consumption) and Azure Storage. Every parameter is described in docs/operations.md.'

@description('Name of the azd environment; all names in the deployment derive from it.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('Region of every resource. It must offer Flex Consumption: az functionapp list-flexconsumption-locations.')
@metadata({ azd: { type: 'location' } })
@minLength(1)
param location string

@description('Object id of who deploys, to read the tokens and keys. Empty: only the app may.')
param principalId string = deployer().objectId

@allowed(['User', 'ServicePrincipal'])
param principalType string = 'User'

@description('Empty: rg-ENVIRONMENT.')
param resourceGroupName string = ''

// What the service allows and keeps.

@description('Value of Upstash-Region in deliveries.')
@allowed(['EU-CENTRAL-1', 'US-EAST-1'])
param region string = 'EU-CENTRAL-1'

@description('Largest message body, in bytes.')
@minValue(1024)
param maxBodyBytes int = 1048576

@description('Largest /v2/batch request, in bytes.')
@minValue(1024)
param maxBatchBytes int = 104857600

@description('Most retries a message may ask for.')
@minValue(0)
param maxRetries int = 1000

@description('Longest time a delivery may take. The functionTimeout in host.json must stay above it.')
param maxTimeout string = '15m'

@description('Longest delay a message may ask for.')
param maxDelay string = '366d'

@description('Most steps of a workflow run, up to 100000.')
@minValue(1)
@maxValue(100000)
param workflowMaxSteps int = 10000

@description('Most steps of a workflow run side by side, up to 1000.')
@minValue(1)
@maxValue(1000)
param workflowMaxParallelSteps int = 500

@description('Most that payload, steps and events of a workflow run may have together, in bytes.')
@minValue(1024)
@maxValue(1073741824)
param workflowMaxHistoryBytes int = 134217728

@description('Largest payload, step, event or result of a workflow run, in bytes.')
@minValue(1024)
@maxValue(67108864)
param workflowMaxPayloadBytes int = 16777216

@description('Longest history of a workflow run, in bytes, that is sent to an endpoint which can fetch it itself.')
@minValue(1024)
@maxValue(67108864)
param workflowMaxDeliveredBytes int = 3145728

@description('Most workflow runs that invoke one another, one below the other.')
@minValue(1)
@maxValue(1000)
param workflowMaxInvokeDepth int = 100

@description('How long logs and workflow runs that have ended are kept.')
param logRetention string = '7d'

@description('How long dead letters are kept.')
param dlqRetention string = '30d'

@description('How long a message may be due, with the work queue worked through, before it is taken for lost and sent again.')
param sweepAfter string = '10m'

@description('In how many queues of the storage account the work queue lies.')
@minValue(1)
@maxValue(8)
param workQueues int = 1

@description('Private addresses deliveries may go to, CIDR ranges with commas between them. Empty: none.')
param allowedNetworks string = ''

@description('Lets deliveries go to all private networks. Metadata and link-local addresses stay closed.')
@allowed(['true', 'false'])
param allowPrivateNetworks string = 'false'

@description('Refuses a destination when it is given, where its host does not exist or is in a network that is not allowed.')
@allowed(['true', 'false'])
param checkHosts string = 'true'

@description('Name of the Durable task hub. Another name is another, empty hub.')
@minLength(3)
@maxLength(45)
param taskHub string = 'FuncStash'

@description('Also makes a token that may only read.')
param readOnlyToken bool = false

@description('Base URL of the OpenAI-compatible provider for legacy api/llm messages. Empty: they are refused.')
param llmBaseUrl string = ''

@description('Key for that provider.')
@secure()
param llmApiKey string = ''

// Size, network and safety.

@description('Memory of an instance, in MiB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('Most instances of each scale group.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 100

@description('Instances always ready for HTTP requests; 0 may scale to zero.')
@minValue(0)
param alwaysReadyHttp int = 0

@description('Instances always ready for delayed messages, retries and callbacks; 0 may scale to zero.')
@minValue(0)
param alwaysReadyDurable int = 0

@description('HTTP requests an instance takes at once. 0: the platform\'s choice.')
@minValue(0)
@maxValue(1000)
param httpConcurrency int = 0

@description('A virtual network with private storage and one fixed outbound address.')
param vnetEnabled bool = false

@description('Instances and data in three zones.')
param zoneRedundant bool = false

@description('Redundancy of the storage account. Empty: three zones with zoneRedundant, one otherwise.')
@allowed(['', 'Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_RAGRS', 'Standard_GZRS', 'Standard_RAGZRS'])
param storageSku string = ''

@description('A deleted vault can not be purged for 90 days. It can never be switched off again.')
param keyVaultPurgeProtection bool = false

// Alerts.

@description('Who is told. Empty: no alerts.')
param alertEmail string = ''

@description('More dead letters than so many in 15 minutes are told.')
@minValue(0)
param deadLetterThreshold int = 50

@description('Also calls the service every 5 minutes.')
param readyCheck bool = false

var names = loadJsonContent('abbreviations.json')
var resourceToken = toLower(uniqueString(subscription().id, environmentName, location))
var identityName = '${names.identity}${resourceToken}'
var vaultName = '${names.keyVault}${resourceToken}'
var tags = { 'azd-env-name': environmentName }

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: empty(resourceGroupName) ? '${names.resourceGroup}${environmentName}' : resourceGroupName
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  scope: group
  params: {
    name: identityName
    location: location
    tags: tags
  }
}

module network 'modules/network.bicep' = if (vnetEnabled) {
  scope: group
  params: {
    name: '${names.virtualNetwork}${resourceToken}'
    natGatewayName: '${names.natGateway}${resourceToken}'
    publicIpName: '${names.publicIp}${resourceToken}'
    location: location
    tags: tags
  }
}

module storage 'modules/storage.bicep' = {
  scope: group
  params: {
    name: '${names.storageAccount}${resourceToken}'
    location: location
    tags: tags
    sku: empty(storageSku) ? (zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS') : storageSku
    private: vnetEnabled
    packageContainerName: 'app-package'
    appIdentityName: identityName
    appPrincipalId: identity.outputs.principalId
  }
}

module privateEndpoints 'modules/private-endpoints.bicep' = if (vnetEnabled) {
  scope: group
  params: {
    namePrefix: '${names.privateEndpoint}${resourceToken}'
    location: location
    tags: tags
    storageAccountId: storage.outputs.id
    networkId: network!.outputs.id
    subnetId: network!.outputs.privateEndpointsSubnetId
  }
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  params: {
    workspaceName: '${names.logAnalytics}${resourceToken}'
    applicationInsightsName: '${names.applicationInsights}${resourceToken}'
    location: location
    tags: tags
    appIdentityName: identityName
    appPrincipalId: identity.outputs.principalId
  }
}

module vault 'modules/vault.bicep' = {
  scope: group
  params: {
    name: vaultName
    location: location
    tags: tags
    purgeProtection: keyVaultPurgeProtection
    appIdentityName: identityName
    appPrincipalId: identity.outputs.principalId
    deployerPrincipalId: principalId
    deployerPrincipalType: principalType
  }
}

module secrets 'modules/secrets.bicep' = {
  scope: group
  params: {
    vaultName: vaultName
    userId: guid(group.id)
    readOnlyToken: readOnlyToken
    llmKeyGiven: !empty(llmApiKey)
    llmApiKey: llmApiKey
  }
  dependsOn: [vault]
}

module app 'modules/function-app.bicep' = {
  scope: group
  params: {
    name: '${names.functionApp}${resourceToken}'
    planName: '${names.functionPlan}${resourceToken}'
    location: location
    tags: tags
    zoneRedundant: zoneRedundant
    identityId: identity.outputs.id
    packageContainerUrl: storage.outputs.packageContainerUrl
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReady: { http: alwaysReadyHttp, durable: alwaysReadyDurable }
    httpConcurrency: httpConcurrency
    subnetId: vnetEnabled ? network!.outputs.appSubnetId : ''
    settings: union(
      secrets.outputs.settings,
      {
        APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.outputs.clientId};Authorization=AAD'
        APPLICATIONINSIGHTS_CONNECTION_STRING: monitoring.outputs.connectionString
        AZURE_CLIENT_ID: identity.outputs.clientId
        // Not in host.json: the host then adds a traceparent of its own to every request, which is only true where it is recorded.
        AzureFunctionsJobHost__telemetryMode: 'OpenTelemetry'
        AzureWebJobsStorage__accountName: storage.outputs.name
        AzureWebJobsStorage__clientId: identity.outputs.clientId
        AzureWebJobsStorage__credential: 'managedidentity'
        FUNCSTASH_ALLOW_PRIVATE_NETWORKS: allowPrivateNetworks
        FUNCSTASH_ALLOWED_NETWORKS: allowedNetworks
        FUNCSTASH_CHECK_HOSTS: checkHosts
        FUNCSTASH_DLQ_RETENTION: dlqRetention
        FUNCSTASH_LOG_RETENTION: logRetention
        FUNCSTASH_MAX_BATCH_BYTES: string(maxBatchBytes)
        FUNCSTASH_MAX_BODY_BYTES: string(maxBodyBytes)
        FUNCSTASH_MAX_DELAY: maxDelay
        FUNCSTASH_MAX_RETRIES: string(maxRetries)
        FUNCSTASH_MAX_TIMEOUT: maxTimeout
        FUNCSTASH_REGION: region
        FUNCSTASH_SWEEP_AFTER: sweepAfter
        FUNCSTASH_TASK_HUB: taskHub
        FUNCSTASH_WORKFLOW_MAX_DELIVERED_BYTES: string(workflowMaxDeliveredBytes)
        FUNCSTASH_WORKFLOW_MAX_HISTORY_BYTES: string(workflowMaxHistoryBytes)
        FUNCSTASH_WORKFLOW_MAX_INVOKE_DEPTH: string(workflowMaxInvokeDepth)
        FUNCSTASH_WORKFLOW_MAX_PARALLEL_STEPS: string(workflowMaxParallelSteps)
        FUNCSTASH_WORKFLOW_MAX_PAYLOAD_BYTES: string(workflowMaxPayloadBytes)
        FUNCSTASH_WORKFLOW_MAX_STEPS: string(workflowMaxSteps)
        FUNCSTASH_WORK_QUEUES: string(workQueues)
      },
      empty(llmBaseUrl) ? {} : { FUNCSTASH_LLM_BASE_URL: llmBaseUrl }
    )
  }
  // Private storage is reachable only once its endpoints are there, and the app reads its package from it.
  dependsOn: [privateEndpoints]
}

module alerts 'modules/alerts.bicep' = if (!empty(alertEmail)) {
  scope: group
  params: {
    location: location
    tags: tags
    actionGroupName: '${names.actionGroup}${resourceToken}'
    email: alertEmail
    workspaceId: monitoring.outputs.workspaceId
    applicationInsightsId: monitoring.outputs.applicationInsightsId
    deadLetterThreshold: deadLetterThreshold
    readyCheck: readyCheck
    serviceUrl: app.outputs.url
  }
}

output AZURE_LOCATION string = location
output AZURE_TENANT_ID string = tenant().tenantId
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_FUNCTION_APP_NAME string = app.outputs.name
output AZURE_STORAGE_ACCOUNT_NAME string = storage.outputs.name
output AZURE_KEY_VAULT_NAME string = vault.outputs.name
output SERVICE_API_NAME string = app.outputs.name

@description('What a QStash client takes as QSTASH_URL.')
output QSTASH_URL string = app.outputs.url

@description('Prints what a QStash client takes as QSTASH_TOKEN.')
output QSTASH_TOKEN_COMMAND string = 'az keyvault secret show --vault-name ${vault.outputs.name} --name qstash-token --query value --output tsv'

@description('Address deliveries come from. Empty without a virtual network: then they come from addresses of the region.')
output FUNCSTASH_OUTBOUND_ADDRESS string = vnetEnabled ? network!.outputs.outboundAddress : ''
