using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using FuncStash.Storage;

namespace FuncStash.Azure;

/// <summary>Payloads as blobs of one container.</summary>
internal sealed class AzureBodies(BlobServiceClient service, AzureStoreOptions options) : IBodies
{
    private readonly string _container = options.BodiesContainerName;

    private readonly OnFirstUse<BlobContainerClient> _containers = new(
        service.GetBlobContainerClient, container => container.CreateIfNotExistsAsync());

    public async ValueTask PutAsync(
        string name, ReadOnlyMemory<byte> content, CancellationToken cancellation = default) =>
        await _containers.UseAsync(
            _container,
            bodies => bodies.GetBlobClient(name).UploadAsync(BinaryData.FromBytes(content), overwrite: true, cancellation),
            cancellation);

    public async ValueTask<byte[]?> GetAsync(string name, CancellationToken cancellation = default)
    {
        try
        {
            using var body = (await _containers.Open(_container).GetBlobClient(name)
                .DownloadStreamingAsync(cancellationToken: cancellation)).Value;
            // Into one array of its size: one that grows as it comes takes several times as much memory.
            var content = GC.AllocateUninitializedArray<byte>(checked((int)body.Details.ContentLength));
            await body.Content.ReadExactlyAsync(content, cancellation);
            return content;
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return null;
        }
    }

    public async ValueTask<BodyPage> ListAsync(
        DateTimeOffset since, DateTimeOffset before, string? after, int take, CancellationToken cancellation = default)
    {
        try
        {
            var pages = _containers.Open(_container)
                .GetBlobsAsync(new GetBlobsOptions(), cancellation).AsPages(after, take);
            await foreach (var page in pages)
            {
                // Blobs come by name, whenever they were written.
                var names = page.Values
                    .Where(body => body.Properties.LastModified >= since && body.Properties.LastModified < before)
                    .Select(body => body.Name);
                return new BodyPage([.. names], page.ContinuationToken is { Length: > 0 } next ? next : null);
            }
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            // Nothing was ever stored.
        }
        return new BodyPage([], null);
    }

    public async ValueTask DeleteAsync(string name, CancellationToken cancellation = default) =>
        await _containers.Open(_container).GetBlobClient(name).DeleteIfExistsAsync(cancellationToken: cancellation);
}
