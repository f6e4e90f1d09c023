"""How an institution joins, is looked at, and leaves: the registry's file, the cluster, and what is handed over."""
