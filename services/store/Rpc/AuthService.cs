using Google.Protobuf;
using Grpc.Core;
using Mesh.Store.Access;
using Mesh.Store.Commit;
using Pb = Mesh.Rpc.Etcd;

namespace Mesh.Store.Rpc;

/// <summary>etcdserverpb.Auth: users, roles, tokens. Changes go one at a time: each is computed from the state before it and logged whole.</summary>
internal sealed class AuthService(StoreEngine engine, Guard guard, TokenIssuer tokens, AccessLock oneAtATime) : Pb.Auth.AuthBase
{
    public override Task<Pb.AuthEnableResponse> AuthEnable(Pb.AuthEnableRequest request, ServerCallContext context) =>
        Change(context, AccessChanges.Enable, h => new Pb.AuthEnableResponse { Header = h });

    public override Task<Pb.AuthDisableResponse> AuthDisable(Pb.AuthDisableRequest request, ServerCallContext context) =>
        Change(context, s => s with { Enabled = false }, h => new Pb.AuthDisableResponse { Header = h });

    public override Task<Pb.AuthStatusResponse> AuthStatus(Pb.AuthStatusRequest request, ServerCallContext context) =>
        Read(context, s => new Pb.AuthStatusResponse { Header = engine.Header(), Enabled = s.Enabled, AuthRevision = s.Revision });

    public override Task<Pb.AuthenticateResponse> Authenticate(Pb.AuthenticateRequest request, ServerCallContext context) => Edge.Answer(() =>
    {
        var state = engine.Access;
        if (!state.Enabled) throw new StoreException(StatusCode.FailedPrecondition, "etcdserver: authentication is not enabled");
        if (!Passwords.Matches(request.Password, state.Users.GetValueOrDefault(request.Name)?.PasswordHash))
            throw new StoreException(StatusCode.InvalidArgument, "etcdserver: authentication failed, invalid user ID or password");
        return new Pb.AuthenticateResponse { Header = engine.Header(), Token = tokens.Issue(request.Name) };
    });

    public override Task<Pb.AuthUserAddResponse> UserAdd(Pb.AuthUserAddRequest request, ServerCallContext context)
    {
        var hash = request.Options?.NoPassword == true ? null : Passwords.Hash(request.Password);
        return Change(context, s => AccessChanges.AddUser(s, request.Name, hash), h => new Pb.AuthUserAddResponse { Header = h });
    }

    public override Task<Pb.AuthUserGetResponse> UserGet(Pb.AuthUserGetRequest request, ServerCallContext context) => Edge.Answer(() =>
    {
        if (guard.Caller(context) != request.Name) guard.Root(context);
        var reply = new Pb.AuthUserGetResponse { Header = engine.Header() };
        reply.Roles.AddRange(AccessChanges.User(engine.Access, request.Name).Roles);
        return reply;
    });

    public override Task<Pb.AuthUserListResponse> UserList(Pb.AuthUserListRequest request, ServerCallContext context) => Read(context, s =>
    {
        var reply = new Pb.AuthUserListResponse { Header = engine.Header() };
        reply.Users.AddRange(s.Users.Keys);
        return reply;
    });

    public override async Task<Pb.AuthUserDeleteResponse> UserDelete(Pb.AuthUserDeleteRequest request, ServerCallContext context)
    {
        var reply = await Change(context, s => AccessChanges.DeleteUser(s, request.Name), h => new Pb.AuthUserDeleteResponse { Header = h });
        tokens.Forget(request.Name);
        return reply;
    }

    public override async Task<Pb.AuthUserChangePasswordResponse> UserChangePassword(Pb.AuthUserChangePasswordRequest request, ServerCallContext context)
    {
        var hash = Passwords.Hash(request.Password);
        var reply = await Change(context, s => AccessChanges.ChangePassword(s, request.Name, hash), h => new Pb.AuthUserChangePasswordResponse { Header = h });
        tokens.Forget(request.Name);
        return reply;
    }

    public override Task<Pb.AuthUserGrantRoleResponse> UserGrantRole(Pb.AuthUserGrantRoleRequest request, ServerCallContext context) =>
        Change(context, s => AccessChanges.GrantRole(s, request.User, request.Role), h => new Pb.AuthUserGrantRoleResponse { Header = h });

    public override Task<Pb.AuthUserRevokeRoleResponse> UserRevokeRole(Pb.AuthUserRevokeRoleRequest request, ServerCallContext context) =>
        Change(context, s => AccessChanges.RevokeRole(s, request.Name, request.Role), h => new Pb.AuthUserRevokeRoleResponse { Header = h });

    public override Task<Pb.AuthRoleAddResponse> RoleAdd(Pb.AuthRoleAddRequest request, ServerCallContext context) =>
        Change(context, s => AccessChanges.AddRole(s, request.Name), h => new Pb.AuthRoleAddResponse { Header = h });

    public override Task<Pb.AuthRoleGetResponse> RoleGet(Pb.AuthRoleGetRequest request, ServerCallContext context) => Edge.Answer(() =>
    {
        var state = engine.Access;
        if (guard.Caller(context) is not { } user || !state.Users[user].Roles.Contains(request.Role)) guard.Root(context);
        var reply = new Pb.AuthRoleGetResponse { Header = engine.Header() };
        if (request.Role == AccessState.Root && !state.Roles.ContainsKey(request.Role))
        {
            reply.Perm.Add(new Pb.Permission { PermType = Pb.Permission.Types.Type.Readwrite, RangeEnd = ByteString.CopyFrom(0) });
            return reply;
        }

        reply.Perm.AddRange(AccessChanges.Role(state, request.Role).Select(p => new Pb.Permission
        {
            PermType = (Pb.Permission.Types.Type)p.Type,
            Key = ByteString.CopyFrom(p.Key),
            RangeEnd = ByteString.CopyFrom(p.RangeEnd),
        }));
        return reply;
    });

    public override Task<Pb.AuthRoleListResponse> RoleList(Pb.AuthRoleListRequest request, ServerCallContext context) => Read(context, s =>
    {
        var reply = new Pb.AuthRoleListResponse { Header = engine.Header() };
        reply.Roles.AddRange(s.Roles.Keys);
        return reply;
    });

    public override Task<Pb.AuthRoleDeleteResponse> RoleDelete(Pb.AuthRoleDeleteRequest request, ServerCallContext context) =>
        Change(context, s => AccessChanges.DeleteRole(s, request.Role), h => new Pb.AuthRoleDeleteResponse { Header = h });

    public override Task<Pb.AuthRoleGrantPermissionResponse> RoleGrantPermission(Pb.AuthRoleGrantPermissionRequest request, ServerCallContext context)
    {
        var perm = request.Perm ?? new Pb.Permission();
        var permission = new AccessPermission((int)perm.PermType, perm.Key.ToByteArray(), perm.RangeEnd.ToByteArray());
        return Change(context, s => AccessChanges.GrantPermission(s, request.Name, permission), h => new Pb.AuthRoleGrantPermissionResponse { Header = h });
    }

    public override Task<Pb.AuthRoleRevokePermissionResponse> RoleRevokePermission(Pb.AuthRoleRevokePermissionRequest request, ServerCallContext context) =>
        Change(context, s => AccessChanges.RevokePermission(s, request.Role, request.Key.ToByteArray(), request.RangeEnd.ToByteArray()),
            h => new Pb.AuthRoleRevokePermissionResponse { Header = h });

    private Task<T> Read<T>(ServerCallContext context, Func<AccessState, T> read) => Edge.Answer(() =>
    {
        guard.Root(context);
        return read(engine.Access);
    });

    private Task<T> Change<T>(ServerCallContext context, Func<AccessState, AccessState> change, Func<Pb.ResponseHeader, T> reply) => Edge.Run(async () =>
    {
        guard.Root(context);
        await oneAtATime.Semaphore.WaitAsync(context.CancellationToken);
        try
        {
            var before = engine.Access;
            var after = change(before);
            if (!ReferenceEquals(before, after)) await engine.ProposeAsync(new AccessCommand((after with { Revision = before.Revision + 1 }).Encode()));
            return reply(engine.Header());
        }
        finally
        {
            oneAtATime.Semaphore.Release();
        }
    });
}

/// <summary>Serializes changes of the access state of one store.</summary>
internal sealed class AccessLock : IDisposable
{
    public SemaphoreSlim Semaphore { get; } = new(1);

    public void Dispose() => Semaphore.Dispose();
}
