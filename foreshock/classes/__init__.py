"""Classes of machines: what pumps, fans or gearboxes have in common, and how a record of one of them is completed."""
