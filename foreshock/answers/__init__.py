"""Why an asset is as it is, said in plain words from what stands on the topics."""
