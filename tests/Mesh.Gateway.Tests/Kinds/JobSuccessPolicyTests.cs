using Mesh.Api;

namespace Mesh.Gateway.Tests.Kinds;

/// <summary>KEP-3998: what a rule of a success policy may say.</summary>
public sealed class JobSuccessPolicyTests
{
    private readonly KindHarness kinds = new();

    [Theory]
    [InlineData("""{"succeededIndexes":"0,2-4","succeededCount":4}""", null)]
    [InlineData("""{"succeededIndexes":""}""", null)]
    [InlineData("""{}""", "spec.successPolicy.rules[0]: Required value: at least one of succeededCount or succeededIndexes must be specified")]
    [InlineData("""{"succeededIndexes":"1,9"}""", "spec.successPolicy.rules[0].succeededIndexes: Invalid value: \"1,9\": error parsing succeededIndexes: too large index: \"9\"")]
    [InlineData("""{"succeededIndexes":"3-1"}""", "spec.successPolicy.rules[0].succeededIndexes: Invalid value: \"3-1\": error parsing succeededIndexes: non-increasing order, previous: 3, current: 1")]
    [InlineData("""{"succeededIndexes":"2,2"}""", "spec.successPolicy.rules[0].succeededIndexes: Invalid value: \"2,2\": error parsing succeededIndexes: non-increasing order, previous: 2, current: 2")]
    [InlineData("""{"succeededIndexes":"x"}""", "spec.successPolicy.rules[0].succeededIndexes: Invalid value: \"x\": error parsing succeededIndexes: cannot convert string to integer for index: \"x\"")]
    [InlineData("""{"succeededIndexes":"1-2-3"}""",
        "spec.successPolicy.rules[0].succeededIndexes: Invalid value: \"1-2-3\": error parsing succeededIndexes: the fragment \"1-2-3\" violates the requirement that an index interval can have at most two parts separated by '-'")]
    [InlineData("""{"succeededIndexes":"0-1","succeededCount":3}""",
        "spec.successPolicy.rules[0].succeededCount: Invalid value: 3: must be less than or equal to 2 (the number of indexes in the specified succeededIndexes field)")]
    [InlineData("""{"succeededCount":7}""", "spec.successPolicy.rules[0].succeededCount: Invalid value: 7: must be less than or equal to 5 (the number of specified completions)")]
    public async Task Its_indexes_are_below_the_completions_and_rise(string rule, string? error)
    {
        var job = KindHarness.Json(
            """{"metadata":{"name":"j","namespace":"default","uid":"u"},"spec":{"completionMode":"Indexed","completions":5,"parallelism":1,"successPolicy":{"rules":[""" + rule
            + """]},"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"i"}]}}}}""");
        if (error is null)
            await kinds.CreateAsync("batch", "jobs", job);
        else
            Assert.Equal($"Job.batch \"j\" is invalid: {error}", (await Assert.ThrowsAsync<ApiException>(() => kinds.CreateAsync("batch", "jobs", job))).Status.Message);
    }
}
