"""Where images come from: folders, zips, arrays, and data sets of Hugging Face."""
