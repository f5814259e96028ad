using System.Text;
using System.Text.RegularExpressions;
using FuncStash.Cli.Terminals;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
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
        var text = TextOf(file);
        try
        {
            var parser = new Parser(new StringReader(text));
            parser.Consume<StreamStart>();
            if (parser.Accept<StreamEnd>(out _))
                return new Inventory();
            var reader = new StaticDeserializerBuilder(new InventoryYaml()).WithNamingConvention(CamelCaseNamingConvention.Instance).WithDuplicateKeyChecking().Build();
            var inventory = reader.Deserialize<Inventory?>(parser);
            if (!parser.Accept<StreamEnd>(out _))
                throw new UsageException($"line {parser.Current?.Start.Line}: a second document begins; the file has one");
            return Canonical.Of(inventory ?? new Inventory());
        }
        catch (Exception wrong) when (wrong is SyntaxErrorException or SemanticErrorException or AnchorNotFoundException)
        {
            throw new UsageException($"line {((YamlException)wrong).Start.Line}: {wrong.Message}");
        }
        catch (YamlException wrong)
        {
            throw new UsageException($"line {wrong.Start.Line}: {Words(wrong, text)}");
        }
        catch (InvalidCastException)
        {
            // The reader says no place where the whole document is one value.
            throw new UsageException("line 1: the file is a list of names, such as 'schedules:' and 'queues:'");
        }
    }

    private static string TextOf(byte[] file)
    {
        try
        {
            return s_strict.GetString(file).TrimStart('\uFEFF');
        }
        catch (DecoderFallbackException)
        {
            throw new UsageException("the file is not UTF-8 text");
        }
    }

    // The reader's own words name types of the code.
    private static string Words(YamlException wrong, string text)
    {
        var rest = text.AsSpan(Math.Min((int)wrong.Start.Index, text.Length));
        var length = (int)(wrong.End.Index - wrong.Start.Index);
        var written = (length > 0 && length < rest.Length ? rest[..length] : rest).Trim();
        var end = written.IndexOfAny('\r', '\n');
        var place = PlainText.Start(written[..(end < 0 ? written.Length : end)].ToString(), 60);
        return wrong.InnerException is null && wrong.Message.Contains("duplicate key", StringComparison.Ordinal) ? $"'{place}': a name is there twice"
            : wrong.Message.StartsWith("Property", StringComparison.Ordinal) ? $"there is no '{place}' here"
            : $"'{place}': that cannot be said here";
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
