using System.Diagnostics;
using System.Text.Json;
using Mesh.Store.Tests.Support;

namespace Mesh.Store.Tests.Rpc;

/// <summary>Debian's etcdctl (package etcd-client) against a real store process.</summary>
public class EtcdctlTests
{
    [Fact]
    public async Task Everyday_commands()
    {
        await using var store = new StoreProcess();
        await store.StartAsync();
        Assert.Equal("OK\n", await Run(store, "put a 1"));
        await Run(store, "put a 2");
        await Run(store, "put b x");
        Assert.Equal("a\n2\nb\nx\n", await Run(store, "get --prefix ''"));
        Assert.Equal("a\n1\n", await Run(store, "get a --rev=2"));
        Assert.Equal("b\na\n", (await Run(store, "get --from-key '' --keys-only --order=DESCEND")).Replace("\n\n", "\n", StringComparison.Ordinal));
        var json = JsonDocument.Parse(await Run(store, "get a -w json")).RootElement;
        Assert.Equal((2, 3, 2), (json.GetProperty("kvs")[0].GetProperty("create_revision").GetInt32(), json.GetProperty("kvs")[0].GetProperty("mod_revision").GetInt32(), json.GetProperty("kvs")[0].GetProperty("version").GetInt32()));
        Assert.Equal("SUCCESS\n\nOK\n\na\n2\n", await Run(store, "txn", "value(\"b\") = \"x\"\n\nput c 1\nget a\n\nput d 1\n\n"));
        Assert.Equal("FAILURE\n\n1\n", await Run(store, "txn", "mod(\"b\") > \"100\"\n\nput c 1\n\ndel c\n\n"));
        Assert.Equal("PUT\na\n1\nPUT\na\n2\n", await Run(store, "watch a --rev=2", timeoutSeconds: 2));
        Assert.Equal("1\n", await Run(store, "del b"));
        Assert.Contains("compacted revision 4", await Run(store, "compaction 4"), StringComparison.Ordinal);
        Assert.Contains("required revision has been compacted", await Run(store, "get a --rev=3"), StringComparison.Ordinal);
        Assert.Contains("watch was canceled", await Run(store, "watch a --rev=2", timeoutSeconds: 5), StringComparison.Ordinal);
        Assert.Equal("", await Run(store, "alarm list"));
        Assert.Contains("Finished defragmenting", await Run(store, "defrag"), StringComparison.Ordinal);
        Assert.Contains(", 3.5.17, ", await Run(store, "endpoint status"), StringComparison.Ordinal);
        Assert.Matches("^127.0.0.1:[0-9]+, [0-9]+\n$", await Run(store, "endpoint hashkv"));
        Assert.Contains("is healthy", await Run(store, "endpoint health"), StringComparison.Ordinal);
        var members = await Run(store, "member list");
        Assert.Contains(", started, mesh-store, ", members, StringComparison.Ordinal);
        var member = members.Split(',')[0];
        Assert.Contains($"Leadership transferred from {member} to {member}", await Run(store, "move-leader " + member), StringComparison.Ordinal);
        Assert.Contains("bad leader transferee", await Run(store, "move-leader abc"), StringComparison.Ordinal);
        Assert.Equal("", await Run(store, "alarm disarm"));
    }

    [Fact]
    public async Task Leases_locks_and_elections()
    {
        await using var store = new StoreProcess();
        await store.StartAsync();
        var id = (await Run(store, "lease grant 5")).Split(' ')[1];
        await Run(store, $"put k v --lease={id}");
        Assert.Contains("attached keys([k])", await Run(store, $"lease timetolive {id} --keys"), StringComparison.Ordinal);
        Assert.Contains("keepalived with TTL(5)", await Run(store, $"lease keep-alive --once {id}"), StringComparison.Ordinal);
        for (var left = 600; (await Run(store, "get k")).Length > 0; left--) Assert.True(left > 0, "the lease does not expire");
        Assert.Contains("already expired", await Run(store, $"lease timetolive {id}"), StringComparison.Ordinal);
        Assert.Equal("locked\n", await Run(store, "lock m echo locked"));
        Assert.Contains("leader-1", await Run(store, "elect e leader-1", timeoutSeconds: 5), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Snapshot_save_and_restore()
    {
        await using var store = new StoreProcess();
        await store.StartAsync();
        for (var i = 0; i < 5; i++) await Run(store, $"put k{i} v{i}");
        var file = Path.Combine(store.DataDir, "saved.db");
        Assert.Contains("Snapshot saved at", await Run(store, $"snapshot save {file}"), StringComparison.Ordinal);
        var restored = StoreRestore.Restore(file, Path.Combine(store.DataDir, "restored"));
        Assert.Equal((6, 5), (restored.Revision, restored.Keys));
        Assert.Throws<IOException>(() => StoreRestore.Restore(file, Path.Combine(store.DataDir, "restored")));
        await using var engine = Kv.Open(new Store.Files.DiskFiles(), change: o => o.DataDir = Path.Combine(store.DataDir, "restored"));
        Assert.Equal("v3", Kv.S(engine.Get("k3").Kvs[0].Value));
        Assert.Equal(7, (await engine.PutAsync("more", "x")).Revision);

        // In place of a store that runs: refused. In place of one that does not: the old one is kept aside.
        var data = Path.Combine(store.DataDir, "data");
        Assert.Contains("in use by another process", (await Assert.ThrowsAsync<IOException>(() => StoreRestore.ReplaceAsync(file, data))).Message, StringComparison.Ordinal);
        await Run(store, "put k9 later");
        await store.KillAsync();
        var (again, before) = await StoreRestore.ReplaceAsync(file, data);
        Assert.Equal((6, 8, 5, data + ".before-restore-1"), (again.Taken, again.Revision, again.Keys, before));
        await store.StartAsync();
        Assert.Equal("k4\nv4\n", await Run(store, "get --from-key k4"));
        // The lost store had been at 7: nobody is told that again, and who watched from there is told to list.
        Assert.Contains("\"revision\":9,", await Run(store, "put k5 again -w json"), StringComparison.Ordinal);
        Assert.Contains("required revision has been compacted", await Run(store, "watch k9 --rev 7", timeoutSeconds: 5), StringComparison.Ordinal);
        Assert.Contains("required revision has been compacted", await Run(store, "get k1 --rev 6"), StringComparison.Ordinal);

        var damaged = await File.ReadAllBytesAsync(file);
        damaged[^1] ^= 1;
        await File.WriteAllBytesAsync(file, damaged);
        Assert.Throws<Store.Wal.StoreCorruptException>(() => StoreRestore.Restore(file, Path.Combine(store.DataDir, "other")));
        await store.KillAsync();
        await Assert.ThrowsAsync<Store.Wal.StoreCorruptException>(() => StoreRestore.ReplaceAsync(file, data));
        await Assert.ThrowsAsync<FileNotFoundException>(() => StoreRestore.ReplaceAsync(file + ".none", data));
        await store.StartAsync();
        Assert.Equal("k4\nv4\nk5\nagain\n", await Run(store, "get --from-key k4"));
        Assert.False(Directory.Exists(data + ".restoring"));
    }

    [Fact]
    public async Task A_store_that_cannot_be_read_is_replaced_by_one_that_goes_on_far_ahead()
    {
        await using var store = new StoreProcess();
        await store.StartAsync();
        await Run(store, "put a 1");
        var file = Path.Combine(store.DataDir, "saved.db");
        await Run(store, $"snapshot save {file}");
        for (var i = 0; i < 5; i++) await Run(store, $"put b {i}");
        await store.KillAsync();
        await using (var log = File.Open(Directory.GetFiles(Path.Combine(store.DataDir, "data", "wal")).Single(), FileMode.Open))
        {
            var records = new byte[4096];
            var read = await log.ReadAsync(records);
            var at = records.AsSpan(0, read).IndexOf("\u0001a"u8) + 1; // the key of the first put, after its length
            records[at] ^= 1;
            log.Position = 0;
            await log.WriteAsync(records.AsMemory(0, read));
        }

        var (restored, _) = await StoreRestore.ReplaceAsync(file, Path.Combine(store.DataDir, "data"));
        Assert.Equal((2, 1_000_000_002), (restored.Taken, restored.Revision));
        await store.StartAsync();
        Assert.Equal("a\n1\n", await Run(store, "get a"));
    }

    [Fact]
    public async Task Users_and_roles()
    {
        await using var store = new StoreProcess();
        await store.StartAsync();
        foreach (var command in (string[])["user add root:pw", "user grant-role root root", "role add r", "role grant-permission r readwrite foo/ --prefix", "user add u:pw", "user grant-role u r", "auth enable"])
            Assert.DoesNotContain("Error", await Run(store, command), StringComparison.Ordinal);
        Assert.Contains("user name is empty", await Run(store, "get foo/1"), StringComparison.Ordinal);
        Assert.Equal("OK\n", await Run(store, "--user u:pw put foo/1 x"));
        Assert.Contains("permission denied", await Run(store, "--user u:pw put bar x"), StringComparison.Ordinal);
        Assert.Contains("invalid user ID or password", await Run(store, "--user u:no get foo/1"), StringComparison.Ordinal);
        Assert.Contains("[foo/, foo0) (prefix foo/)", await Run(store, "--user root:pw role get r"), StringComparison.Ordinal);
        await store.KillAsync();
        await store.StartAsync();
        Assert.Equal("foo/1\nx\n", await Run(store, "--user u:pw get foo/1"));
        Assert.Contains("permission denied", await Run(store, "--user u:pw get --prefix ''"), StringComparison.Ordinal);
        Assert.Contains("Authentication Disabled", await Run(store, "--user root:pw auth disable"), StringComparison.Ordinal);
    }

    /// <summary>Output and error output of one command; a long-running one is ended after its time.</summary>
    private static async Task<string> Run(StoreProcess store, string arguments, string input = "", int timeoutSeconds = 60)
    {
        var start = new ProcessStartInfo("sh", ["-c", $"timeout -s INT {timeoutSeconds} etcdctl {arguments}"])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
            // Its own patience is 2 and 5 seconds, which a busy machine exceeds.
            Environment = { ["ETCDCTL_API"] = "3", ["ETCDCTL_ENDPOINTS"] = $"127.0.0.1:{store.Port}", ["ETCDCTL_DIAL_TIMEOUT"] = "60s", ["ETCDCTL_COMMAND_TIMEOUT"] = "60s" },
        };
        using var process = Process.Start(start)!;
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.False(process.ExitCode == 127, "etcdctl is needed: apt-get install etcd-client");
        return await output + errors;
    }
}
