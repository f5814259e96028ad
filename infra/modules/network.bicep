metadata description = 'A virtual network: the app sends from it, through one fixed public address, and reaches storage inside it.'

param name string
param natGatewayName string
param publicIpName string
param location string
param tags object

resource publicIp 'Microsoft.Network/publicIPAddresses@2024-07-01' = {
  name: publicIpName
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: {
    publicIPAddressVersion: 'IPv4'
    publicIPAllocationMethod: 'Static'
  }
}

// Without it nothing in the network reaches the internet, and every delivery would fail.
resource natGateway 'Microsoft.Network/natGateways@2024-07-01' = {
  name: natGatewayName
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: {
    idleTimeoutInMinutes: 30 // Longer than the slowest delivery: a destination may stay silent for 15 minutes.
    publicIpAddresses: [{ id: publicIp.id }]
  }
}

resource network 'Microsoft.Network/virtualNetworks@2024-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: ['10.0.0.0/16'] }
    subnets: [
      {
        name: 'private-endpoints'
        properties: {
          addressPrefix: '10.0.1.0/24'
          defaultOutboundAccess: false
        }
      }
      {
        name: 'app'
        properties: {
          addressPrefix: '10.0.2.0/24'
          defaultOutboundAccess: false
          natGateway: { id: natGateway.id }
          delegations: [
            {
              name: 'functions'
              properties: { serviceName: 'Microsoft.App/environments' }
            }
          ]
        }
      }
    ]
  }

  resource privateEndpoints 'subnets' existing = {
    name: 'private-endpoints'
  }

  resource app 'subnets' existing = {
    name: 'app'
  }
}

output id string = network.id
output privateEndpointsSubnetId string = network::privateEndpoints.id
output appSubnetId string = network::app.id
output outboundAddress string = publicIp.properties.ipAddress!
