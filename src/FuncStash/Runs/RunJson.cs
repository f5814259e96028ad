using System.Text.Json;
using System.Text.Json.Serialization;

namespace FuncStash.Runs;

/// <summary>How runs are written into binary values of rows: JSON, absent when it is the default.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(RunSpec))]
[JsonSerializable(typeof(RunProgress))]
[JsonSerializable(typeof(StepDetail))]
[JsonSerializable(typeof(Debt))]
internal sealed partial class RunJson : JsonSerializerContext
{
    public static byte[] Write(RunSpec spec) => JsonSerializer.SerializeToUtf8Bytes(spec, Default.RunSpec);

    public static byte[] Write(RunProgress progress) => JsonSerializer.SerializeToUtf8Bytes(progress, Default.RunProgress);

    public static byte[] Write(StepDetail detail) => JsonSerializer.SerializeToUtf8Bytes(detail, Default.StepDetail);

    public static byte[] Write(Debt debt) => JsonSerializer.SerializeToUtf8Bytes(debt, Default.Debt);

    public static RunSpec ReadSpec(byte[] json) => JsonSerializer.Deserialize(json, Default.RunSpec)!;

    public static RunProgress ReadProgress(byte[] json) => JsonSerializer.Deserialize(json, Default.RunProgress)!;

    public static StepDetail ReadDetail(byte[] json) => JsonSerializer.Deserialize(json, Default.StepDetail)!;

    public static Debt ReadDebt(byte[] json) => JsonSerializer.Deserialize(json, Default.Debt)!;
}
