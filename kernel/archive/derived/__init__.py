"""What is made of instances once and served many times: metadata, lossless copies."""
