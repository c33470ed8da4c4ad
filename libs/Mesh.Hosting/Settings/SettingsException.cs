namespace Mesh.Hosting;

/// <summary>A flag, variable or configuration file that cannot be used; the message is for the person who wrote it.</summary>
public sealed class SettingsException(string message) : Exception(message);
