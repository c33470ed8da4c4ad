using Mesh.Hosting;
using Mesh.NodeAgent;

return await MeshHost.RunAsync(args, new NodeAgentService());
