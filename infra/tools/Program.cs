using System.Runtime.Versioning;
using FuncStash.Infra.Check;

[assembly: UnsupportedOSPlatform("windows")] // infra/check is a bash script, and the hook it runs is one for sh.

var root = Path.GetFullPath(args.Single());
var infra = Path.Combine(root, "infra");
using var bicep = new Bicep(infra);
var checks = new Checks();
if (Templates.Check(checks, bicep, infra))
{
    Deployment.Check(checks, bicep);
    Secrets.Check(checks, bicep, infra);
    Settings.Check(checks, bicep, root);
}

Host.Check(checks, root);
Azd.Check(checks, root);
return checks.Finish();
