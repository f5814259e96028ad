metadata description = '''
E-mail to the operator when a message may be lost or the service does not answer. docs/operations.md, "Alerts", says what
to do about each.
'''

param location string
param tags object
param actionGroupName string
param email string
param workspaceId string
param applicationInsightsId string

@description('Dead letters in 15 minutes that are worth an e-mail: more than so many.')
param deadLetterThreshold int

@description('Also calls the service from outside, every 5 minutes from two places. An app that could scale to zero stays awake by it.')
param readyCheck bool

@description('https://host of the service.')
param serviceUrl string

resource operators 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: actionGroupName
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'funcstash'
    enabled: true
    emailReceivers: [
      { name: 'operator', emailAddress: email, useCommonAlertSchema: true }
    ]
  }
}

var rules = [
  {
    name: 'funcstash-poison-message'
    displayName: 'FuncStash: a message was given up'
    description: 'A delivery failed inside FuncStash so often that its queue message went to the poison queue. It is not delivered until somebody puts it back.'
    severity: 1
    frequency: 'PT5M'
    threshold: 0
    // Written by the Functions host's queue trigger.
    query: 'AppTraces | where Message has "MaxDequeueCount" and Message has "-poison" | summarize Count = sum(ItemCount)'
  }
  {
    name: 'funcstash-function-failures'
    displayName: 'FuncStash: functions fail'
    description: 'Functions or orchestrations end in errors, or callers get 5xx answers. Messages are kept and tried again; find the cause before attempts run out.'
    severity: 2
    frequency: 'PT15M'
    threshold: 10
    query: 'AppRequests | where Success == false and not(toint(ResultCode) between (400 .. 499)) | summarize Count = sum(ItemCount)'
  }
  {
    name: 'funcstash-dead-letters'
    displayName: 'FuncStash: many dead letters'
    description: 'Destinations refused more messages for good than usual. They wait in the DLQ, to be retried or deleted.'
    severity: 3
    frequency: 'PT15M'
    threshold: deadLetterThreshold
    query: 'AppMetrics | where Name == "funcstash.dead_letters" | summarize Count = sum(Sum)'
  }
]

resource logAlerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in rules: {
    name: rule.name
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: rule.displayName
      description: rule.description
      severity: rule.severity
      enabled: true
      autoMitigate: true
      skipQueryValidation: true // The tables have no columns before the first telemetry.
      scopes: [workspaceId]
      evaluationFrequency: rule.frequency
      windowSize: 'PT15M'
      criteria: {
        allOf: [
          {
            query: rule.query
            metricMeasureColumn: 'Count'
            timeAggregation: 'Total'
            operator: 'GreaterThan'
            threshold: rule.threshold
            failingPeriods: { minFailingPeriodsToAlert: 1, numberOfEvaluationPeriods: 1 }
          }
        ]
      }
      actions: { actionGroups: [operators.id] }
    }
  }
]

var places = ['emea-nl-ams-azr', 'us-va-ash-azr']

// Needs no secret in the test, and answers 200 only when the storage answered too.
resource ready 'Microsoft.Insights/webtests@2022-06-15' = if (readyCheck) {
  name: 'funcstash-ready'
  location: location
  // The portal finds the test of a component by this tag.
  tags: union(tags, { 'hidden-link:${applicationInsightsId}': 'Resource' })
  kind: 'standard'
  properties: {
    Name: 'FuncStash and its storage answer'
    SyntheticMonitorId: 'funcstash-ready'
    Kind: 'standard'
    Enabled: true
    Frequency: 300
    Timeout: 60
    RetryEnabled: true
    Locations: map(places, place => { Id: place })
    Request: {
      RequestUrl: '${serviceUrl}/ready'
      HttpVerb: 'GET'
      ParseDependentRequests: false
      FollowRedirects: false
    }
    ValidationRules: {
      ExpectedHttpStatusCode: 200
      IgnoreHttpStatusCode: false
      SSLCheck: true
      SSLCertRemainingLifetimeCheck: 7
    }
  }
}

resource notReady 'Microsoft.Insights/metricAlerts@2018-03-01' = if (readyCheck) {
  name: 'funcstash-not-ready'
  location: 'global'
  tags: tags
  properties: {
    description: 'FuncStash or its storage does not answer, seen from two places.'
    severity: 1
    enabled: true
    autoMitigate: true
    scopes: [ready.id, applicationInsightsId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.WebtestLocationAvailabilityCriteria'
      webTestId: ready.id
      componentId: applicationInsightsId
      failedLocationCount: length(places)
    }
    actions: [{ actionGroupId: operators.id }]
  }
}
