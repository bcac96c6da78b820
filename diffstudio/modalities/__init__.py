"""What a state means: how it becomes pixels. One file per modality; numpy and Pillow alone."""
