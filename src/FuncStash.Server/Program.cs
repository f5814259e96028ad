return await FuncStash.Server.ServerProcess.RunAsync(args);
