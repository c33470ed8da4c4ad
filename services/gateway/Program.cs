using Mesh.Gateway;
using Mesh.Hosting;

return await MeshHost.RunAsync(args, new GatewayService());
