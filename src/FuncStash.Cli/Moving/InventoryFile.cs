using System.Text;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.EventEmitters;
using YamlDotNet.Serialization.NamingConventions;

namespace FuncStash.Cli.Moving;

/// <summary>An inventory as a file of YAML, which JSON is as well.</summary>
internal static partial class InventoryFile
{
    private static readonly UTF8Encoding s_strict = new(false, throwOnInvalidBytes: true);

    /// <summary>Reads a file.</summary>
    /// <exception cref="UsageException">It is no YAML, or has what nothing here knows; with the line.</exception>
    public static Inventory Read(byte[] file)
    {
        try
        {
            var reader = new StaticDeserializerBuilder(new InventoryYaml()).WithNamingConvention(CamelCaseNamingConvention.Instance).WithDuplicateKeyChecking().Build();
            return Canonical.Of(reader.Deserialize<Inventory?>(s_strict.GetString(file).TrimStart('\uFEFF')) ?? new Inventory());
        }
        catch (YamlException wrong)
        {
            throw new UsageException($"line {wrong.Start.Line}: {(wrong.InnerException ?? wrong).Message}");
        }
        catch (DecoderFallbackException)
        {
            throw new UsageException("the file is not UTF-8 text");
        }
    }

    /// <summary>Writes a file.</summary>
    public static string Write(Inventory inventory)
    {
        using var text = new StringWriter { NewLine = "\n" };
        // Long values stay on their line, so that a changed one is one changed line in a repository.
        var emitter = new Emitter(text, EmitterSettings.Default.WithBestWidth(int.MaxValue).WithNewLine("\n"));
        new StaticSerializerBuilder(new InventoryYaml()).WithNamingConvention(CamelCaseNamingConvention.Instance)
            .ConfigureDefaultValuesHandling(DefaultValuesHandling.OmitNull | DefaultValuesHandling.OmitEmptyCollections)
            .WithEventEmitter(next => new Quoting(next)).DisableAliases().Build()
            .Serialize(emitter, inventory);
        return text.ToString();
    }

    /// <summary>Quotes every text that YAML could read as something else.</summary>
    private sealed class Quoting(IEventEmitter next) : ChainedEventEmitter(next)
    {
        public override void Emit(ScalarEventInfo eventInfo, IEmitter emitter)
        {
            if (eventInfo.Source.Value is string text && (!Plain().IsMatch(text) || Word().IsMatch(text)))
                eventInfo.Style = ScalarStyle.DoubleQuoted;
            base.Emit(eventInfo, emitter);
        }
    }

    [GeneratedRegex(@"\A[A-Za-z_/](?:[A-Za-z0-9_./?&=+-]|:(?=\S))*\z")]
    private static partial Regex Plain();

    // YAML 1.1 takes them for truth values and null.
    [GeneratedRegex(@"\A(?:y|n|yes|no|on|off|true|false|null)\z", RegexOptions.IgnoreCase)]
    private static partial Regex Word();
}

/// <summary>How the parts of a file are read and written: generated, so that it works where there is no reflection.</summary>
[YamlStaticContext]
[YamlSerializable(typeof(Inventory))]
[YamlSerializable(typeof(QueueSetup))]
[YamlSerializable(typeof(FlowControlSetup))]
[YamlSerializable(typeof(UrlGroupSetup))]
[YamlSerializable(typeof(EndpointSetup))]
[YamlSerializable(typeof(ScheduleSetup))]
[YamlSerializable(typeof(CallbackSetup))]
public partial class InventoryYaml : StaticContext;
