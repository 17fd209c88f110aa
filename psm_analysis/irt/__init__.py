"""Item response models: the graded response model and differential item functioning."""
