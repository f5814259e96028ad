using System.Text.Json;
using System.Text.Json.Serialization;

namespace FuncStash.Client;

/// <summary>What goes over the wire as JSON, read and written without reflection.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PublishedMessage))]
[JsonSerializable(typeof(PublishAnswer))]
[JsonSerializable(typeof(IReadOnlyList<PublishAnswer>))]
[JsonSerializable(typeof(QStashMessage))]
[JsonSerializable(typeof(CancelAnswer))]
[JsonSerializable(typeof(DlqMessage))]
[JsonSerializable(typeof(DlqList))]
[JsonSerializable(typeof(DlqRetryAnswer))]
[JsonSerializable(typeof(DlqDeletion))]
[JsonSerializable(typeof(LogList))]
[JsonSerializable(typeof(QStashSchedule))]
[JsonSerializable(typeof(IReadOnlyList<QStashSchedule>))]
[JsonSerializable(typeof(ScheduleAnswer))]
[JsonSerializable(typeof(QStashQueue))]
[JsonSerializable(typeof(IReadOnlyList<QStashQueue>))]
[JsonSerializable(typeof(QueueChange))]
[JsonSerializable(typeof(UrlGroup))]
[JsonSerializable(typeof(IReadOnlyList<UrlGroup>))]
[JsonSerializable(typeof(EndpointsChange))]
[JsonSerializable(typeof(GroupHeaders))]
[JsonSerializable(typeof(FlowControlInfo))]
[JsonSerializable(typeof(IReadOnlyList<FlowControlInfo>))]
[JsonSerializable(typeof(GlobalParallelismInfo))]
[JsonSerializable(typeof(SigningKeyPair))]
[JsonSerializable(typeof(SignatureClaims))]
internal sealed partial class WireJson : JsonSerializerContext;
