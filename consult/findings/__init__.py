"""What a reader leaves behind in a study of images: marks, key images, and what was looked at without loss."""
