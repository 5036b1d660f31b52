"""From images to finished explanations: choosing, batches, shards."""
