"""Files that would harm, inputs that were read wrongly, and runs that are cut off."""
