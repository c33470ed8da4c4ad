using Xunit;

namespace Mesh.Api.Tests;

public class StatusesTests
{
    [Fact]
    public void Messages_are_kubernetes_own()
    {
        Assert.Equal("pods \"x\" not found", Statuses.NotFound("", "pods", "x").Message);
        Assert.Equal(
            "Operation cannot be fulfilled on deployments.apps \"x\": the object has been modified; please apply your changes to the latest version and try again",
            Statuses.Conflict("apps", "deployments", "x").Message);
        Assert.Equal("services is forbidden: no", Statuses.Forbidden("", "services", "", "no").Message);
    }

    [Fact]
    public void Invalid_lists_every_cause()
    {
        var status = Statuses.Invalid("apps", "Deployment", "x", [
            FieldError.Invalid("spec.replicas", -1, "must be greater than or equal to 0"),
            FieldError.Required("spec.selector"),
            FieldError.NotSupported("spec.type", "Foo", "A", "B"),
        ]);
        Assert.Equal(
            "Deployment.apps \"x\" is invalid: [spec.replicas: Invalid value: -1: must be greater than or equal to 0, spec.selector: Required value, spec.type: Unsupported value: \"Foo\": supported values: \"A\", \"B\"]",
            status.Message);
        Assert.Equal(422, status.Code);
        Assert.Equal(["FieldValueInvalid", "FieldValueRequired", "FieldValueNotSupported"], status.Details!.Causes!.Select(c => c.Reason));
        Assert.Equal("spec.replicas", status.Details.Causes![0].Field);
    }
}
