// Clusters are heavy and the machine has two cores: one after the other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
